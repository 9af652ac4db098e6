// fails: unused-result|nodiscard
// What a question answers is used.
#include "orzatty/channel.h"

namespace orzatty {

bool covers(const ChannelPattern& pattern, const ChannelName& name) {
#ifdef ORZATTY_BROKEN
  pattern.matches(name);
  return true;
#else
  return pattern.matches(name);
#endif
}

}  // namespace orzatty
