// The varint of RFC 9000, section 16: the two top bits of the first byte say how many bytes it has
// (1, 2, 4, 8), the others are the value, most significant byte first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/assert.h"
#include "orzatty/bytes.h"

namespace orzatty::wire {

inline constexpr std::uint64_t kVarintMax = (std::uint64_t{1} << 62) - 1;
inline constexpr std::size_t kVarintSizeMax = 8;

constexpr std::size_t varint_size(std::uint64_t value) {
  if (value < 1U << 6) return 1;
  if (value < 1U << 14) return 2;
  if (value < 1U << 30) return 4;
  return 8;
}

// Writes `value`, at most kVarintMax, at the front of `out`, which has room for it.
inline std::size_t encode_varint(std::span<std::byte> out, std::uint64_t value) {
  if (value < 1U << 6) {
    out[0] = static_cast<std::byte>(value);
    return 1;
  }
  if (value < 1U << 14) {
    out[0] = static_cast<std::byte>(0x40 | (value >> 8));
    out[1] = static_cast<std::byte>(value & 0xff);
    return 2;
  }
  ORZATTY_ASSERT(value <= kVarintMax);
  const std::size_t size = varint_size(value);
  const std::uint64_t marked = value | (size == 4 ? std::uint64_t{0x8000'0000} : ~kVarintMax);
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = static_cast<std::byte>((marked >> (8 * (size - 1 - i))) & 0xff);
  }
  return size;
}

struct DecodedVarint {
  std::uint64_t value = 0;
  std::size_t size = 0;  // 0: `bytes` ends inside it
  bool minimal = true;
};

// The varint at the front of a peer's bytes. For Reader and for those that walk frames.
inline DecodedVarint decode_varint(BytesView bytes) {
  if (bytes.empty()) return {};
  const auto first = std::to_integer<std::uint64_t>(bytes[0]);
  const std::size_t size = std::size_t{1} << (first >> 6);
  if (size > bytes.size()) return {};
  std::uint64_t value = first & 0x3f;
  for (std::size_t i = 1; i < size; ++i)
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return {.value = value, .size = size, .minimal = varint_size(value) == size};
}

}  // namespace orzatty::wire
