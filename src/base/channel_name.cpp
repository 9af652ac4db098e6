#include <algorithm>

#include "base/utf8.h"
#include "orzatty/bytes.h"
#include "orzatty/channel.h"

namespace orzatty {

namespace {

bool is_forbidden(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return byte <= 0x20 || byte == 0x7f;
}

// Walks dot-separated tokens; false as soon as `accept(token, is_last)` is.
template <class Accept>
bool all_tokens(std::string_view text, Accept accept) {
  while (true) {
    const std::size_t dot = text.find('.');
    const bool is_last = dot == std::string_view::npos;
    if (!accept(text.substr(0, dot), is_last)) return false;
    if (is_last) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_text(std::string_view text) {
  return !text.empty() && text.size() <= ChannelName::kSizeMax &&
         std::ranges::none_of(text, is_forbidden) && base::is_utf8(bytes_of(text));
}

bool is_literal(std::string_view token) {
  return !token.empty() && token.find_first_of("*>") == std::string_view::npos;
}

}  // namespace

// spec: NAME-1
std::optional<ChannelName> ChannelName::parse(std::string_view text) {
  if (!is_text(text)) return std::nullopt;
  if (!all_tokens(text, [](std::string_view token, bool) { return is_literal(token); })) {
    return std::nullopt;
  }
  return ChannelName(std::string(text));
}

ChannelName ChannelName::of(std::uint64_t number) { return ChannelName(std::to_string(number)); }

// spec: NAME-2
std::optional<ChannelPattern> ChannelPattern::parse(std::string_view text) {
  if (!is_text(text)) return std::nullopt;
  bool has_wildcard = false;
  const bool sound = all_tokens(text, [&](std::string_view token, bool is_last) {
    const bool wildcard = token == "*" || (token == ">" && is_last);
    has_wildcard |= wildcard;
    return wildcard || is_literal(token);
  });
  if (!sound) return std::nullopt;
  return ChannelPattern(std::string(text), has_wildcard);
}

ChannelPattern ChannelPattern::exactly(const ChannelName& name) {
  return {std::string(name.text()), false};
}

// spec: NAME-2, NAME-3
bool ChannelPattern::matches(const ChannelName& name) const {
  if (!has_wildcard_) return text_ == name.text();
  if (name.reserved() && (text_.front() == '*' || text_.front() == '>')) return false;
  std::string_view rest = name.text();
  bool left = true;  // tokens of the name
  const bool matched = all_tokens(text_, [&](std::string_view token, bool) {
    if (!left) return false;
    if (token == ">") {
      left = false;
      return true;
    }
    const std::size_t dot = rest.find('.');
    if (token != "*" && token != rest.substr(0, dot)) return false;
    left = dot != std::string_view::npos;
    rest.remove_prefix(left ? dot + 1 : rest.size());
    return true;
  });
  return matched && !left;
}

}  // namespace orzatty
