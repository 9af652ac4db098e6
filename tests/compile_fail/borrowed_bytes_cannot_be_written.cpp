// fails: assignment of read-only|cannot assign to return value|read-only
// A view of bytes only reads: the log behind it is shared by every subscriber.
#include "orzatty/bytes.h"

namespace orzatty {

std::byte first_of(BytesView bytes) {
#ifdef ORZATTY_BROKEN
  bytes[0] = std::byte{0};
#endif
  return bytes[0];
}

}  // namespace orzatty
