#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace orzatty::base {

namespace {

// The size of a sequence by its first byte, and the range of its second (RFC 3629, section 4).
struct Lead {
  std::size_t size = 0;  // 0: may not begin a sequence
  std::uint8_t second_min = 0x80;
  std::uint8_t second_max = 0xbf;
};

Lead lead_of(std::uint8_t byte) {
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

// The size of the valid sequence at the front, which is not ASCII; 0 when there is none.
std::size_t sequence_size(BytesView bytes) {
  const Lead lead = lead_of(value(bytes[0]));
  if (lead.size == 0 || lead.size > bytes.size()) return 0;
  const std::uint8_t second = value(bytes[1]);
  if (second < lead.second_min || second > lead.second_max) return 0;
  for (std::size_t i = 2; i < lead.size; ++i) {
    if ((value(bytes[i]) & 0xc0) != 0x80) return 0;
  }
  return lead.size;
}

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

bool is_utf8(BytesView bytes) {
  while (!bytes.empty()) {
    bytes = bytes.subspan(ascii_prefix(bytes));
    if (bytes.empty()) return true;
    if (value(bytes[0]) < 0x80) {
      bytes = bytes.subspan(1);
      continue;
    }
    const std::size_t size = sequence_size(bytes);
    if (size == 0) return false;
    bytes = bytes.subspan(size);
  }
  return true;
}

}  // namespace orzatty::base
