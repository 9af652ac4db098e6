// A small seeded generator (splitmix64): the same seed gives the same numbers on every machine. For
// jitter, nonces and simulation; never for keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace orzatty::base {

class Prng {
 public:
  explicit Prng(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t mixed = (state_ += 0x9e3779b97f4a7c15ULL);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    return mixed ^ (mixed >> 31);
  }
  // In [0, bound); `bound` is not 0. The bias is below 2^-32 for the small bounds in use here.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool chance(double probability) {
    return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability;
  }
  void fill(std::span<std::byte> bytes) {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(next() >> 56);
  }

 private:
  std::uint64_t state_;
};

}  // namespace orzatty::base
