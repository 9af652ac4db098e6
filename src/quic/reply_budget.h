// How many replies to strangers are left: a bucket that refills with time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "orzatty/time.h"

namespace orzatty::quic {

class ReplyBudget {
 public:
  // A restarted server resets 1,000 connections in a second, and a flood costs at most 1 % of a
  // core.
  static constexpr std::int64_t kPerSecond = 1000;

  explicit ReplyBudget(Instant now) : filled_(now) {}

  [[nodiscard]] bool take(Instant now) {
    constexpr Duration kMost = std::chrono::seconds(1);
    constexpr Duration kCost = kMost / kPerSecond;
    saved_ = std::min(saved_ + std::max(now - filled_, Duration::zero()), kMost);
    filled_ = std::max(filled_, now);
    if (saved_ < kCost) return false;
    saved_ -= kCost;
    return true;
  }

 private:
  Duration saved_ = std::chrono::seconds(1);
  Instant filled_;
};

}  // namespace orzatty::quic
