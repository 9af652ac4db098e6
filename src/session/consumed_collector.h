// Collects how far a client has consumed into lazy CONSUMED frames. Steady state allocates nothing.
// One thread.
#pragma once

#include <optional>

#include "orzatty/ids.h"
#include "orzatty/limits.h"
#include "orzatty/time.h"
#include "wire/consumed.h"

namespace orzatty::session {

class ConsumedCollector {
 public:
  // A position is news for this long: it bounds what a sender may trust to QUIC's word alone.
  static constexpr Duration kDelay = std::chrono::milliseconds(25);
  static constexpr std::size_t kPositionCountMax = 64;

  explicit ConsumedCollector(const Limits& limits) : every_bytes_(limits.ack_every_bytes) {}

  void consumed(const wire::ConsumedPosition& position, std::uint64_t bytes, std::uint32_t nonce,
                Instant now);
  [[nodiscard]] bool due(Instant now) const;
  [[nodiscard]] std::optional<Instant> next_timeout() const { return due_at_; }
  [[nodiscard]] bool full() const { return frame_.positions.size() >= kPositionCountMax; }
  [[nodiscard]] const wire::Consumed& frame() const { return frame_; }
  void clear();

 private:
  std::uint64_t every_bytes_;
  std::uint64_t bytes_ = 0;
  std::optional<Instant> due_at_;
  wire::Consumed frame_;
};

}  // namespace orzatty::session
