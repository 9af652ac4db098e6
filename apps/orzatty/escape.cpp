#include "escape.h"

#include "base/utf8.h"

namespace orzatty::apps {
namespace {

void append_escaped_byte(std::string& target, unsigned char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (byte) {
    case '\n':
      target += "\\n";
      return;
    case '\r':
      target += "\\r";
      return;
    case '\t':
      target += "\\t";
      return;
    default:
      target += "\\x";
      target += digits[byte >> 4U];
      target += digits[byte & 15U];
  }
}

// U+0080 to U+009F: control characters too, some terminals obey them.
bool is_c1_control(std::string_view character) {
  return character.size() == 2 && character[0] == '\xc2' &&
         static_cast<unsigned char>(character[1]) < 0xa0;
}

bool is_harmless(std::string_view character) {
  if (character.empty() || is_c1_control(character)) return false;
  const auto first = static_cast<unsigned char>(character[0]);
  return character.size() > 1 || (first >= 0x20 && first != 0x7f);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::string_view character = text.substr(0, base::utf8_character_size(bytes_of(text)));
    if (is_harmless(character)) {
      result += character;
      text.remove_prefix(character.size());
    } else {
      append_escaped_byte(result, static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
    }
  }
  return result;
}

LogLine& LogLine::add(std::string_view key, std::string_view value) {
  if (!text_.empty()) text_ += ' ';
  text_ += key;
  text_ += '=';
  const bool plain = !value.empty() && value.find_first_of(" \"=\\") == std::string_view::npos;
  if (plain) {
    text_ += escaped(value);
    return *this;
  }
  text_ += '"';
  for (const char character : escaped(value)) {
    if (character == '"') text_ += '\\';
    text_ += character;
  }
  text_ += '"';
  return *this;
}

}  // namespace orzatty::apps
