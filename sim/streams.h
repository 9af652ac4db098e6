// One root seed, and a stream of chance for everything that has a name. Who draws more or less does
// not change what others draw, so that a shrunk run stays close to the one it came from.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/prng.h"

namespace orzatty::sim {

class Streams {
 public:
  explicit Streams(std::uint64_t root) : root_(root) {}

  [[nodiscard]] std::uint64_t seed(std::string_view name, std::uint64_t index = 0) const {
    std::uint64_t mixed = root_ ^ 0x6a09e667f3bcc909ULL;
    for (const char letter : name) {
      mixed = base::Prng(mixed ^ static_cast<unsigned char>(letter)).next();
    }
    return base::Prng(mixed + index).next();
  }
  [[nodiscard]] base::Prng stream(std::string_view name, std::uint64_t index = 0) const {
    return base::Prng(seed(name, index));
  }

 private:
  std::uint64_t root_;
};

}  // namespace orzatty::sim
