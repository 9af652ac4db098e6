// fails: no match for .operator==.|invalid operands to binary expression
// Ids of the wire are small numbers that stand side by side in a frame, so each has its own type.
#include "orzatty/ids.h"

namespace orzatty {

bool same(ChannelAlias alias, PublicationId publication) {
#ifdef ORZATTY_BROKEN
  return alias == publication;
#else
  return alias.value() == publication.value();
#endif
}

}  // namespace orzatty
