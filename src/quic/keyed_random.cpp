#include "quic/keyed_random.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace orzatty::quic {
namespace {

using Block = std::array<std::byte, 32>;

Block hmac(BytesView key, BytesView input) {
  Block block;
  const int error = gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.data(), key.size(), input.data(),
                                     input.size(), block.data());
  ORZATTY_ASSERT(error == 0);
  return block;
}

}  // namespace

KeyedRandom::KeyedRandom(BytesView secret, std::string_view purpose, std::uint64_t seed) {
  Bytes input = copy_of(bytes_of(purpose));
  const auto seed_bytes = std::as_bytes(std::span(&seed, 1));
  input.insert(input.end(), seed_bytes.begin(), seed_bytes.end());
  key_ = hmac(secret, input);
}

void KeyedRandom::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const Block block = hmac(key_, std::as_bytes(std::span(&counter_, 1)));
    ++counter_;
    const std::size_t size = std::min(out.size(), block.size());
    std::copy_n(block.begin(), size, out.begin());
    out = out.subspan(size);
  }
}

std::uint64_t KeyedRandom::next() {
  std::uint64_t value = 0;
  fill(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

}  // namespace orzatty::quic
