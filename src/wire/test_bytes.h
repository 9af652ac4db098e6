// Bytes as the tests of this layer write them, and randomness that is the same in every run.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "orzatty/bytes.h"

namespace orzatty::wire::test {

inline Bytes bytes(std::initializer_list<int> values) {
  Bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

inline Bytes bytes(std::string_view text) { return copy_of(bytes_of(text)); }

inline void append(Bytes& out, BytesView more) { out.insert(out.end(), more.begin(), more.end()); }

// SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  Bytes bytes(std::size_t size) {
    Bytes out(size);
    for (std::byte& byte : out) byte = static_cast<std::byte>(next());
    return out;
  }

 private:
  std::uint64_t state_;
};

}  // namespace orzatty::wire::test
