// The Governor bounds what waits to be sent, by bytes and by time: the backlog is held near what the
// path carries within a latency target, so that a large buffer never becomes a long delay.
//
// One per connection. It measures the rate at which the peer acknowledges and turns it into a room for
// what is not sent yet: latency target x rate, within [kRoomMin, room_max]. What is in flight is the
// congestion controller's to bound and comes on top, or a long path could never be filled. While no
// rate is known the room is the whole outbox. One thread.
#pragma once

#include <cstdint>

#include "orzatty/time.h"

namespace orzatty::session {

struct GovernorConfig {
  Duration latency_target = std::chrono::milliseconds(5);
  std::uint64_t room_max = 2 * 1024 * 1024;
};

class Governor {
 public:
  // A burst of packets and what the sender appends meanwhile, or the path would run dry.
  static constexpr std::uint64_t kRoomMin = 64 * 1024;
  // Rates are measured over at least this long: shorter windows see bursts, not the path.
  static constexpr Duration kWindow = std::chrono::milliseconds(20);

  explicit Governor(const GovernorConfig& config) : config_(config), room_(config.room_max) {}

  // `size` more bytes were acknowledged. `waiting` says whether more stood ready all along: only then
  // does the rate tell what the path carries, and not what the application had to say.
  void acknowledged(std::uint64_t size, bool waiting, Duration smoothed_rtt, Instant now);

  // What may wait to be sent, per connection.
  [[nodiscard]] std::uint64_t room() const { return room_; }
  [[nodiscard]] double bytes_per_second() const { return rate_; }

 private:
  GovernorConfig config_;
  std::uint64_t room_;
  double rate_ = 0;  // highest of the last windows, decaying
  std::uint64_t window_bytes_ = 0;
  Instant window_start_{};
  bool window_open_ = false;
};

}  // namespace orzatty::session
