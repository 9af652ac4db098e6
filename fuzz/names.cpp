// Property: what was parsed as a name or pattern is its own text and parses again; and a pattern
// matches a name exactly when a plain walk over their tokens says so.
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "orzatty/channel.h"

namespace {

using namespace orzatty;

// The first token of `text`, and what follows its dot.
std::pair<std::string_view, std::string_view> split(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return {text, {}};
  return {text.substr(0, dot), text.substr(dot + 1)};
}

// spec: NAME-2, NAME-3
bool walk_matches(std::string_view pattern, std::string_view name) {
  const bool wild = pattern.front() == '*' || pattern.front() == '>';
  if (wild && name.front() == '$') return false;
  while (!pattern.empty() && !name.empty()) {
    if (pattern == ">") return true;
    const auto [wanted, pattern_rest] = split(pattern);
    const auto [token, name_rest] = split(name);
    if (wanted != "*" && wanted != token) return false;
    pattern = pattern_rest;
    name = name_rest;
  }
  return pattern.empty() && name.empty();
}

void check_name(std::string_view text) {
  const auto name = ChannelName::parse(text);
  if (!name) return;
  ORZATTY_ASSERT(name->text() == text && ChannelName::parse(name->text()) == name);
  const auto pattern = ChannelPattern::exactly(*name);
  ORZATTY_ASSERT(pattern.matches(*name) && !pattern.has_wildcard());
  ORZATTY_ASSERT(ChannelPattern::parse(text) == pattern);
}

}  // namespace

// A pattern, a newline, which neither may hold, and a name; or just one of them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  const std::string_view second = line == std::string_view::npos ? text : text.substr(line + 1);
  check_name(second);
  const auto pattern = ChannelPattern::parse(text.substr(0, line));
  if (!pattern) return 0;
  ORZATTY_ASSERT(pattern->text() == text.substr(0, line));
  ORZATTY_ASSERT(ChannelPattern::parse(pattern->text()) == pattern);
  if (const auto name = ChannelName::parse(second)) {
    ORZATTY_ASSERT(pattern->matches(*name) == walk_matches(pattern->text(), name->text()));
  }
  return 0;
}
