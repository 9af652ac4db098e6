// fails: could not convert|cannot convert|no known conversion|no matching function
// Time has a clock and a unit, so milliseconds cannot be passed for nanoseconds.
#include <cstdint>

#include "orzatty/time.h"

namespace orzatty {

bool expired(Instant now, Instant deadline) { return deadline <= now; }

bool expired_at(std::int64_t nanoseconds, Instant deadline) {
#ifdef ORZATTY_BROKEN
  return expired(nanoseconds, deadline);
#else
  return expired(Instant(Duration(nanoseconds)), deadline);
#endif
}

}  // namespace orzatty
