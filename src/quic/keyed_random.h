// Random bytes from a key: the same key gives the same bytes, and who does not have the key cannot
// tell what comes next. HMAC-SHA-256 of a counter. One thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "orzatty/bytes.h"

namespace orzatty::quic {

class KeyedRandom {
 public:
  // `purpose` keeps generators of the same secret apart.
  KeyedRandom(BytesView secret, std::string_view purpose, std::uint64_t seed);

  void fill(std::span<std::byte> out);
  [[nodiscard]] std::uint64_t next();

 private:
  std::array<std::byte, 32> key_{};
  std::uint64_t counter_ = 0;
};

}  // namespace orzatty::quic
