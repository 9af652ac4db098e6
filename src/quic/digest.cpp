#include "quic/digest.h"

#include <gnutls/crypto.h>

#include "base/assert.h"

namespace orzatty::quic {

Digest::Digest() {
  gnutls_hash_hd_t hash = nullptr;
  const int error = gnutls_hash_init(&hash, GNUTLS_DIG_SHA256);
  ORZATTY_ASSERT(error == 0);
  state_ = reinterpret_cast<State*>(hash);
}

Digest::~Digest() { gnutls_hash_deinit(reinterpret_cast<gnutls_hash_hd_t>(state_), nullptr); }

void Digest::add(BytesView bytes) {
  const int error =
      gnutls_hash(reinterpret_cast<gnutls_hash_hd_t>(state_), bytes.data(), bytes.size());
  ORZATTY_ASSERT(error == 0);
}

Digest::Value Digest::value() const {
  // A copy, as GnuTLS begins anew when it gives its result.
  const gnutls_hash_hd_t copy = gnutls_hash_copy(reinterpret_cast<gnutls_hash_hd_t>(state_));
  ORZATTY_ASSERT(copy != nullptr);
  Value value;
  gnutls_hash_deinit(copy, value.data());
  return value;
}

}  // namespace orzatty::quic
