// Answers to strangers, of which nothing is kept. None is larger than what it answers.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstddef>
#include <cstdint>
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

}  // namespace orzatty::quic
