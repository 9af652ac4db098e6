// Tokens by which a client proves that it is at its address (RFC 9000, section 8.1): a Retry's, for
// the handshake that it belongs to, and those of earlier connections, with which a client that
// comes back needs no Retry. A server keeps nothing of them: they are sealed with its secret.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/address.h"
#include "orzatty/bytes.h"
#include "orzatty/time.h"
#include "quic/stateless_replies.h"

namespace orzatty::quic {

constexpr std::size_t kAddressTokenSizeMax = 64;

// For a client at `client`, port and all left out: whoever comes back has another one. Returns the
// token's size in `out`, which has kAddressTokenSizeMax bytes at least; 0 when there is no
// randomness.
std::size_t make_address_token(std::span<std::byte> out, const base::Address& client,
                               BytesView secret, Instant now);

enum class AddressProof : std::uint8_t {
  kNone,
  kRetry,
  kEarlierConnection,
};
struct VerifiedToken {
  AddressProof proof = AddressProof::kNone;
  ngtcp2_cid original_target{};  // that of the client's first packet, before any Retry
};
// Nothing for a Retry's token that is forged, too old, or of another client: its sender would wait
// in vain. Any other that proves nothing counts as none, as RFC 9000, section 8.1.3 wants it.
std::optional<VerifiedToken> verify_token(const FirstPacket& packet, const base::Address& client,
                                          BytesView secret, Instant now);

}  // namespace orzatty::quic
