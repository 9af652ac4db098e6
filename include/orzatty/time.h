// Time of the protocol. ProtocolClock has no now(): the pure layers are told the time and cannot
// ask for it, so one simulator can run all of them in virtual time.
#pragma once

#include <chrono>

namespace orzatty {

struct ProtocolClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<ProtocolClock>;
  static constexpr bool is_steady = true;
};

using Duration = ProtocolClock::duration;
using Instant = ProtocolClock::time_point;  // monotonic; only differences mean anything

}  // namespace orzatty
