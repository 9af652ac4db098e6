// Property: what was parsed as a name or pattern is its own text, parses again, and a name matches the
// pattern that is exactly it.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "orzatty/channel.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using orzatty::ChannelName;
  using orzatty::ChannelPattern;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto name = ChannelName::parse(text)) {
    ORZATTY_ASSERT(name->text() == text && ChannelName::parse(name->text()) == name);
    ORZATTY_ASSERT(ChannelPattern::exactly(*name).matches(*name));
  }
  const std::size_t half = size / 2;
  const auto pattern = ChannelPattern::parse(text.substr(0, half));
  const auto name = ChannelName::parse(text.substr(half));
  if (pattern && name && pattern->matches(*name)) {
    ORZATTY_ASSERT(pattern->has_wildcard() || pattern->text() == name->text());
  }
  return 0;
}
