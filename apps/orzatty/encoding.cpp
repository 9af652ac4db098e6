#include "encoding.h"

#include <array>
#include <cstdint>

namespace orzatty::apps {
namespace {

// What the first byte promises, and the range of the second one, which is where overlong forms,
// surrogates and numbers beyond Unicode show.
struct Utf8Lead {
  std::size_t size = 0;
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xbf;
};

Utf8Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {.size = 1};
  if (byte < 0xc2) return {};
  if (byte < 0xe0) return {.size = 2};
  if (byte == 0xe0) return {.size = 3, .second_min = 0xa0};
  if (byte == 0xed) return {.size = 3, .second_max = 0x9f};
  if (byte < 0xf0) return {.size = 3};
  if (byte == 0xf0) return {.size = 4, .second_min = 0x90};
  if (byte < 0xf4) return {.size = 4};
  if (byte == 0xf4) return {.size = 4, .second_max = 0x8f};
  return {};
}

}  // namespace

std::size_t utf8_character_size(std::string_view text) {
  if (text.empty()) return 0;
  const Utf8Lead lead = lead_of(static_cast<unsigned char>(text[0]));
  if (lead.size < 2 || lead.size > text.size()) return lead.size == 1 ? 1 : 0;
  const auto second = static_cast<unsigned char>(text[1]);
  if (second < lead.second_min || second > lead.second_max) return 0;
  for (const char rest : text.substr(2, lead.size - 2)) {
    if ((static_cast<unsigned char>(rest) & 0xc0U) != 0x80U) return 0;
  }
  return lead.size;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = utf8_character_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string hex(BytesView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<std::size_t>(byte >> 4)];
    text += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

std::string base64(BytesView bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const BytesView group = bytes.subspan(at, std::min<std::size_t>(3, bytes.size() - at));
    std::uint32_t bits = 0;
    for (std::size_t index = 0; index < 3; ++index) {
      bits = bits << 8U | (index < group.size() ? std::to_integer<std::uint32_t>(group[index]) : 0);
    }
    for (std::size_t index = 0; index < 4; ++index) {
      text += index <= group.size() ? digits[bits >> (18 - 6 * index) & 63U] : '=';
    }
  }
  return text;
}

}  // namespace orzatty::apps
