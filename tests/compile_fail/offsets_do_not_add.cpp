// fails: no match for .operator\+.|invalid operands to binary expression
// The difference of two positions is a count; their sum is nothing.
#include "orzatty/ids.h"

namespace orzatty {

std::uint64_t reach(Offset from, Offset to) {
#ifdef ORZATTY_BROKEN
  return (from + to).value();
#else
  return to - from;
#endif
}

}  // namespace orzatty
