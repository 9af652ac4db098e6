// Answers to strangers, of which nothing is kept. None is larger than what it answers.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "orzatty/bytes.h"
#include "orzatty/time.h"
#include "quic/connection.h"
#include "quic/connection_ids.h"

namespace orzatty::quic {

// The header of a client's first packet, and where it came from.
struct FirstPacket {
  ngtcp2_cid client_id{};
  ngtcp2_cid target_id{};
  std::uint32_t version = 0;
  BytesView token;
};

// Each returns the size of the reply in `out`; 0 when it would not fit below `size_max`.
std::size_t write_version_negotiation(std::span<std::byte> out, const ngtcp2_version_cid& ids,
                                      std::uint8_t unused_bits);
std::size_t write_retry(std::span<std::byte> out, const FirstPacket& packet,
                        const base::Address& client, const ConnectionId& retry_id, BytesView secret,
                        Instant now);
std::size_t write_refusal(std::span<std::byte> out, const FirstPacket& packet, std::uint64_t code,
                          std::string_view reason);
std::size_t write_stateless_reset(std::span<std::byte> out, const ResetToken& token,
                                  KeyedRandom& random);

// What a token in a first packet is.
enum class TokenFault : std::uint8_t {
  kNotRetry,  // none, or not of a Retry: the packet counts as one without
  kInvalid,   // a Retry's, but forged, too old, or of another client
};
// The target of the client's packet before Retry.
std::expected<ngtcp2_cid, TokenFault> verify_retry(const FirstPacket& packet,
                                                   const base::Address& client, BytesView secret,
                                                   Instant now);

}  // namespace orzatty::quic
