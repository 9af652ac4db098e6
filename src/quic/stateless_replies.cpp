#include "quic/stateless_replies.h"

#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>
#include <array>

#include "quic/sockaddr.h"

namespace orzatty::quic {
namespace {

std::uint8_t* raw(std::span<std::byte> bytes) {
  return reinterpret_cast<std::uint8_t*>(bytes.data());
}
const std::uint8_t* raw(BytesView bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

std::uint64_t time_of(Instant now) {
  return static_cast<std::uint64_t>(now.time_since_epoch().count());
}

std::size_t size_of(ngtcp2_ssize written) {
  return static_cast<std::size_t>(std::max<ngtcp2_ssize>(written, 0));
}

}  // namespace

std::size_t write_version_negotiation(std::span<std::byte> out, const ngtcp2_version_cid& ids,
                                      std::uint8_t unused_bits) {
  // The second is reserved to keep clients used to versions that they do not know.
  constexpr std::array<std::uint32_t, 2> kVersions = {NGTCP2_PROTO_VER_V1, 0x1a2a3a4aU};
  return size_of(ngtcp2_pkt_write_version_negotiation(raw(out), out.size(), unused_bits, ids.scid,
                                                      ids.scidlen, ids.dcid, ids.dcidlen,
                                                      kVersions.data(), kVersions.size()));
}

std::size_t write_retry(std::span<std::byte> out, const FirstPacket& packet,
                        const base::Address& client, const ConnectionId& retry_id, BytesView secret,
                        Instant now) {
  std::array<std::uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2> token{};
  SocketAddress address(client);
  const ngtcp2_addr native = address.view();
  const ngtcp2_cid source = retry_id.native();
  const ngtcp2_ssize token_size = ngtcp2_crypto_generate_retry_token2(
      token.data(), raw(secret), secret.size(), packet.version, native.addr, native.addrlen,
      &source, &packet.target_id, time_of(now));
  if (token_size < 0) return 0;
  return size_of(ngtcp2_crypto_write_retry(raw(out), out.size(), packet.version, &packet.client_id,
                                           &source, &packet.target_id, token.data(),
                                           static_cast<std::size_t>(token_size)));
}

std::size_t write_refusal(std::span<std::byte> out, const FirstPacket& packet, std::uint64_t code,
                          std::string_view reason) {
  return size_of(ngtcp2_crypto_write_connection_close(raw(out), out.size(), packet.version,
                                                      &packet.client_id, &packet.target_id, code,
                                                      raw(bytes_of(reason)), reason.size()));
}

std::size_t write_stateless_reset(std::span<std::byte> out, const ResetToken& token,
                                  KeyedRandom& random) {
  // As long as a small packet of ours, so that it does not stand out.
  std::array<std::uint8_t, 28> noise{};
  random.fill(std::as_writable_bytes(std::span(noise)));
  return size_of(ngtcp2_pkt_write_stateless_reset(raw(out), out.size(), token.data(), noise.data(),
                                                  noise.size()));
}

}  // namespace orzatty::quic
