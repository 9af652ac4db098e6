// SHA-256 of bytes that come piece by piece. One thread at a time.
#pragma once

#include <array>
#include <cstddef>

#include "orzatty/bytes.h"

namespace orzatty::quic {

class Digest {
 public:
  using Value = std::array<std::byte, 32>;

  Digest();
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void add(BytesView bytes);
  // Of everything added so far; more may follow.
  [[nodiscard]] Value value() const;

 private:
  struct State;  // GnuTLS's
  State* state_;
};

}  // namespace orzatty::quic
