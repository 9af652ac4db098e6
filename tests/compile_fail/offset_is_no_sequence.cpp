// fails: no match for .operator==.|invalid operands to binary expression
// A position in a channel and a position of a publisher are both counts, and never the same thing.
#include "orzatty/ids.h"

namespace orzatty {

bool same(Offset offset, Sequence sequence) {
#ifdef ORZATTY_BROKEN
  return offset == sequence;
#else
  return offset == Offset(sequence.value());
#endif
}

}  // namespace orzatty
