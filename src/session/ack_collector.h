// Collects what a server has accepted into lazy ACK frames: one for many messages.
//
// Runs that continue each other become one. An ACK is due `ack_delay` after the first message that it
// covers, or at once when enough came together. Steady state allocates nothing. One thread.
#pragma once

#include <optional>

#include "orzatty/ids.h"
#include "orzatty/limits.h"
#include "orzatty/time.h"
#include "wire/ack.h"

namespace orzatty::session {

class AckCollector {
 public:
  static constexpr std::size_t kRunCountMax = 64;  // keeps the frame within a packet or two

  explicit AckCollector(const Limits& limits)
      : delay_(limits.ack_delay),
        every_(limits.ack_every),
        every_bytes_(limits.ack_every_bytes) {}

  // `run` lies in `bytes` bytes of frames. spec: PUBLISH-4 (the caller has stored it)
  void accepted(const wire::AckRun& run, std::uint64_t bytes, std::uint32_t nonce, Instant now);
  [[nodiscard]] bool due(Instant now) const;
  [[nodiscard]] std::optional<Instant> next_timeout() const { return due_at_; }
  [[nodiscard]] bool empty() const { return ack_.runs.empty(); }
  [[nodiscard]] bool full() const { return ack_.runs.size() >= kRunCountMax; }
  // What is collected; clear() when it was sent.
  [[nodiscard]] const wire::Ack& ack() const { return ack_; }
  void clear();

 private:
  // A run of the same publication grows if this one continues it.
  [[nodiscard]] bool extend(const wire::AckRun& run);

  Duration delay_;
  std::uint32_t every_;
  std::uint32_t every_bytes_;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  std::optional<Instant> due_at_;
  wire::Ack ack_;
};

}  // namespace orzatty::session
