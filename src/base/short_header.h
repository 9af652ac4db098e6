// A few bytes that go before others, in a register: written by one store.
#pragma once

#include <cstdint>

namespace orzatty::base {

struct ShortHeader {
  static constexpr std::uint32_t kSizeMax = 4;
  std::uint32_t bytes = 0;  // as they lie in memory
  std::uint32_t size = 0;   // of them
};

}  // namespace orzatty::base
