// fails: could not convert|cannot convert|conversion from|no viable conversion
// What a clock of the system says is not the time that engines are told.
#include "orzatty/time.h"

namespace orzatty {

Instant told(std::chrono::steady_clock::time_point read) {
#ifdef ORZATTY_BROKEN
  return read;
#else
  return Instant(read.time_since_epoch());
#endif
}

}  // namespace orzatty
