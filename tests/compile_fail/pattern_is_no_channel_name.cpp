// fails: invalid initialization of reference|cannot bind|no known conversion|could not convert
// One cannot publish to a pattern.
#include "orzatty/channel.h"

namespace orzatty {

std::size_t published_size(const ChannelName& name) { return name.text().size(); }

std::size_t publish(const ChannelPattern& pattern, const ChannelName& name) {
#ifdef ORZATTY_BROKEN
  static_cast<void>(name);
  return published_size(pattern);
#else
  return pattern.matches(name) ? published_size(name) : 0;
#endif
}

}  // namespace orzatty
