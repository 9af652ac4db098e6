#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace orzatty::base {

namespace {

// The size of a sequence by its first byte, and the range of its second (RFC 3629, section 4).
struct Lead {
  std::size_t size = 0;  // 0: may not begin one
  std::uint8_t second_min = 0x80;
  std::uint8_t second_max = 0xbf;
};

Lead lead_of(std::uint8_t byte) {
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

std::uint8_t value(std::byte byte) { return std::to_integer<std::uint8_t>(byte); }

// How many of the first bytes are ASCII, in steps of eight.
std::size_t ascii_prefix(BytesView bytes) {
  std::size_t size = 0;
  while (bytes.size() - size >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + size, sizeof word);
    if ((word & 0x8080808080808080ULL) != 0) break;
    size += sizeof word;
  }
  return size;
}

}  // namespace

std::size_t utf8_character_size(BytesView bytes) {
  if (bytes.empty()) return 0;
  const Lead lead = lead_of(value(bytes[0]));
  if (lead.size < 2 || lead.size > bytes.size()) return lead.size == 1 ? 1 : 0;
  const std::uint8_t second = value(bytes[1]);
  if (second < lead.second_min || second > lead.second_max) return 0;
  for (const std::byte rest : bytes.subspan(2, lead.size - 2)) {
    if ((value(rest) & 0xc0) != 0x80) return 0;
  }
  return lead.size;
}

bool is_utf8(BytesView bytes) {
  while (!bytes.empty()) {
    bytes = bytes.subspan(ascii_prefix(bytes));
    if (bytes.empty()) return true;
    const std::size_t size = utf8_character_size(bytes);
    if (size == 0) return false;
    bytes = bytes.subspan(size);
  }
  return true;
}

}  // namespace orzatty::base
