// fails: could not convert|conversion from|no viable conversion
// A number becomes a position only where somebody says so.
#include "orzatty/ids.h"

namespace orzatty {

Offset from_wire(std::uint64_t value) {
#ifdef ORZATTY_BROKEN
  return value;
#else
  return Offset(value);
#endif
}

}  // namespace orzatty
