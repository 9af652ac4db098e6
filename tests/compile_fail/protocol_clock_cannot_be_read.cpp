// fails: .now. is not a member of|no member named .now.
// The clock of the protocol has no now(): the core is told the time and cannot ask for it.
#include "orzatty/time.h"

namespace orzatty {

Instant start() {
#ifdef ORZATTY_BROKEN
  return ProtocolClock::now();
#else
  return Instant{};
#endif
}

}  // namespace orzatty
