// Heartbeats: says when to PING a quiet peer and when to give it up. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "orzatty/time.h"

namespace orzatty::session {

class Keepalive {
 public:
  enum class Verdict : std::uint8_t { kQuiet, kPing, kDead };

  Keepalive(Duration interval, Duration dead_after, Instant now)
      : interval_(interval), dead_after_(dead_after), heard_(now), pinged_(now) {}

  void heard(Instant now) { heard_ = now; }
  // spec: SESSION-8, SESSION-9
  [[nodiscard]] Verdict check(Instant now) {
    if (now >= heard_ + dead_after_) return Verdict::kDead;
    if (now < next_ping()) return Verdict::kQuiet;
    pinged_ = now;
    return Verdict::kPing;
  }
  [[nodiscard]] Instant next_timeout() const {
    return std::min(next_ping(), heard_ + dead_after_);
  }

 private:
  // One per interval, counted from whatever came last.
  [[nodiscard]] Instant next_ping() const { return std::max(heard_, pinged_) + interval_; }

  Duration interval_;
  Duration dead_after_;
  Instant heard_;
  Instant pinged_;
};

}  // namespace orzatty::session
