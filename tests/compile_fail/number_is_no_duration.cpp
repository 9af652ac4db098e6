// fails: could not convert|conversion from|no viable conversion
// A duration says its unit.
#include "orzatty/time.h"

namespace orzatty {

Duration heartbeat() {
#ifdef ORZATTY_BROKEN
  return 15;
#else
  return std::chrono::seconds(15);
#endif
}

}  // namespace orzatty
