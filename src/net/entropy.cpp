#include "net/entropy.h"

#include <sys/random.h>

#include <array>
#include <bit>
#include <cerrno>

#include "base/assert.h"

namespace orzatty::net {

void entropy(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t size = getrandom(bytes.data(), bytes.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    ORZATTY_ASSERT(size > 0);
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
}

std::uint64_t entropy_seed() {
  std::array<std::byte, sizeof(std::uint64_t)> bytes{};
  entropy(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

}  // namespace orzatty::net
