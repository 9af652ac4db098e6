#include "net/clock.h"

#include <time.h>

#include "base/assert.h"

namespace orzatty::net {
namespace {

timespec read_clock(clockid_t clock) {
  timespec time{};
  const int result = clock_gettime(clock, &time);
  ORZATTY_ASSERT(result == 0);
  return time;
}

}  // namespace

Instant now() {
  const timespec time = read_clock(CLOCK_MONOTONIC);
  return Instant(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

std::int64_t unix_seconds() { return read_clock(CLOCK_REALTIME).tv_sec; }

}  // namespace orzatty::net
