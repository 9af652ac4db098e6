#include "quic/address_tokens.h"

#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>

#include "quic/sockaddr.h"

namespace orzatty::quic {
namespace {

// A client answers a Retry at once; this leaves it three lost packets.
constexpr std::uint64_t kRetryLifetime = 10 * NGTCP2_SECONDS;
// Long enough for any storm of reconnects, and too short for many to have an address that once was
// somebody else's: who has an old token can make a server send a certificate there.
constexpr std::uint64_t kAddressTokenLifetime = 3600 * NGTCP2_SECONDS;

static_assert(kAddressTokenSizeMax >= NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN);

const std::uint8_t* raw(BytesView bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

std::uint64_t time_of(Instant now) {
  return static_cast<std::uint64_t>(now.time_since_epoch().count());
}

std::optional<VerifiedToken> verify_retry(const FirstPacket& packet, const ngtcp2_addr& client,
                                          BytesView secret, std::uint64_t now) {
  VerifiedToken verified{AddressProof::kRetry, {}};
  const int error = ngtcp2_crypto_verify_retry_token2(
      &verified.original_target, raw(packet.token), packet.token.size(), raw(secret), secret.size(),
      packet.version, client.addr, client.addrlen, &packet.target_id, kRetryLifetime, now);
  return error == 0 ? std::optional(verified) : std::nullopt;
}

}  // namespace

std::size_t make_address_token(std::span<std::byte> out, const base::Address& client,
                               BytesView secret, Instant now) {
  SocketAddress address(client);
  const ngtcp2_addr native = address.view();
  const ngtcp2_ssize size = ngtcp2_crypto_generate_regular_token(
      reinterpret_cast<std::uint8_t*>(out.data()), raw(secret), secret.size(), native.addr,
      native.addrlen, time_of(now));
  return static_cast<std::size_t>(std::max<ngtcp2_ssize>(size, 0));
}

std::optional<VerifiedToken> verify_token(const FirstPacket& packet, const base::Address& client,
                                          BytesView secret, Instant now) {
  const BytesView token = packet.token;
  SocketAddress address(client);
  const ngtcp2_addr native = address.view();
  const auto begins_with = [&](std::uint8_t kind) {
    return !token.empty() && token[0] == std::byte{kind};
  };
  if (begins_with(NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2)) {
    return verify_retry(packet, native, secret, time_of(now));
  }
  const bool valid = begins_with(NGTCP2_CRYPTO_TOKEN_MAGIC_REGULAR) &&
                     ngtcp2_crypto_verify_regular_token(raw(token), token.size(), raw(secret),
                                                        secret.size(), native.addr, native.addrlen,
                                                        kAddressTokenLifetime, time_of(now)) == 0;
  return VerifiedToken{valid ? AddressProof::kEarlierConnection : AddressProof::kNone,
                       packet.target_id};
}

}  // namespace orzatty::quic
