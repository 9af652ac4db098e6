#include "quic/endpoint.h"

#include <ngtcp2/ngtcp2.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "quic/address_tokens.h"
#include "quic/connection_ids.h"
#include "quic/connection_state.h"
#include "quic/reply_budget.h"
#include "quic/stateless_replies.h"

namespace orzatty::quic {
namespace {

// Nothing of QUIC is shorter, and ngtcp2 ends the process on an empty datagram.
constexpr std::size_t kDatagramSizeMin = 21;
constexpr std::byte kLongHeader{0x80};
// A stranger's handshake may take this long when many are at it.
constexpr Duration kHandshakeTimeoutUnderLoad = std::chrono::seconds(5);
constexpr std::uint64_t kInvalidToken = 0x0b;  // RFC 9000, section 20.1

const std::uint8_t* raw(BytesView bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

struct Slot {
  std::unique_ptr<Connection> connection;
  std::uint32_t generation = 0;
};

}  // namespace

class Endpoint::Parts {
 public:
  Parts(const EndpointConfig& endpoint_config,
        std::shared_ptr<const ServerCredentials> server_credentials, std::uint64_t seed,
        Instant now)
      : config(endpoint_config),
        credentials(std::move(server_credentials)),
        ids(endpoint_config, seed),
        budget(now) {}

  // One datagram, with where a reply to it goes.
  struct Visit {
    const Datagram& datagram;
    std::span<std::byte> scratch;  // no longer than the datagram
    Instant now;
  };

  Routed route_short(const Visit& visit);
  Routed route_long(const Visit& visit);
  Routed route_first(const Visit& visit);
  Routed admit(const Visit& visit, const FirstPacket& packet, const VerifiedToken& token);
  Routed negotiate_version(const Visit& visit, const ngtcp2_version_cid& ids_seen);
  Routed refuse(const Visit& visit, const FirstPacket& packet, std::uint64_t code,
                std::string_view reason);
  Routed replied(std::size_t size);
  Routed ignored();
  Slot* find(ConnectionKey key);

  const EndpointConfig config;
  std::shared_ptr<const ServerCredentials> credentials;
  ConnectionIds ids;  // outlives the connections
  ReplyBudget budget;
  std::vector<Slot> slots;
  std::vector<std::uint32_t> free_slots;  // the last freed first
  EndpointCounters counters;
};

Endpoint::Endpoint(const EndpointConfig& config,
                   std::shared_ptr<const ServerCredentials> credentials, std::uint64_t seed,
                   Instant now)
    : parts_(std::make_unique<Parts>(config, std::move(credentials), seed, now)) {}
Endpoint::~Endpoint() = default;

Routed Endpoint::route(const Datagram& datagram, std::span<std::byte> scratch, Instant now) {
  if (datagram.bytes.size() < kDatagramSizeMin) return parts_->ignored();
  const auto room = scratch.first(std::min(scratch.size(), datagram.bytes.size()));
  const Parts::Visit visit{datagram, room, now};
  const bool is_long = (datagram.bytes[0] & kLongHeader) != std::byte{0};
  return is_long ? parts_->route_long(visit) : parts_->route_short(visit);
}

Routed Endpoint::Parts::route_short(const Visit& visit) {
  const ConnectionId id(raw(visit.datagram.bytes) + 1, ConnectionIds::kSize);
  if (const auto key = ids.find(id)) return Known{*key};
  // Strictly shorter than its trigger, so that two ends cannot reset each other for ever.
  const auto room = visit.scratch.first(visit.scratch.size() - 1);
  if (room.size() < kDatagramSizeMin || !budget.take(visit.now)) return ignored();
  return replied(write_stateless_reset(room, ids.reset_token(id), ids.random()));
}

Routed Endpoint::Parts::route_long(const Visit& visit) {
  const BytesView bytes = visit.datagram.bytes;
  ngtcp2_version_cid seen{};
  const int error =
      ngtcp2_pkt_decode_version_cid(&seen, raw(bytes), bytes.size(), ConnectionIds::kSize);
  if (error == NGTCP2_ERR_VERSION_NEGOTIATION) return negotiate_version(visit, seen);
  if (error != 0 || seen.version == 0) return ignored();
  if (const auto key = ids.find(ConnectionId(seen.dcid, seen.dcidlen))) return Known{*key};
  if (seen.version != NGTCP2_PROTO_VER_V1) return negotiate_version(visit, seen);
  return route_first(visit);
}

Routed Endpoint::Parts::negotiate_version(const Visit& visit, const ngtcp2_version_cid& seen) {
  const bool worth_it = visit.datagram.bytes.size() >= NGTCP2_MAX_UDP_PAYLOAD_SIZE;
  if (!worth_it || !budget.take(visit.now)) return ignored();
  const std::uint64_t random = ids.random().next();
  return replied(write_version_negotiation(visit.scratch, seen, static_cast<std::uint8_t>(random)));
}

Routed Endpoint::Parts::route_first(const Visit& visit) {
  const BytesView bytes = visit.datagram.bytes;
  ngtcp2_pkt_hd header{};
  const bool acceptable = bytes.size() >= NGTCP2_MAX_UDP_PAYLOAD_SIZE &&
                          ngtcp2_accept(&header, raw(bytes), bytes.size()) == 0;
  if (!acceptable) return ignored();
  const FirstPacket packet{header.scid, header.dcid, header.version,
                           std::as_bytes(std::span(header.token, header.tokenlen))};
  const base::Address& client = visit.datagram.remote;
  const auto token = verify_token(packet, client, config.secret, visit.now);
  if (!token) return refuse(visit, packet, kInvalidToken, "invalid token");
  // spec: TRANSPORT-6
  const bool proven = token->proof != AddressProof::kNone;
  if (!proven && ids.half_open_count() >= config.retry_above_half_open) {
    // Not from the budget: a flood must not use up what honest clients need to get past it.
    return replied(
        write_retry(visit.scratch, packet, client, ids.make(), config.secret, visit.now));
  }
  return admit(visit, packet, *token);
}

Routed Endpoint::Parts::admit(const Visit& visit, const FirstPacket& packet,
                              const VerifiedToken& token) {
  const std::size_t count = slots.size() - free_slots.size();
  if (count >= config.connection_count_max || ids.half_open_count() >= config.half_open_count_max) {
    ++counters.refused;
    return refuse(visit, packet, NGTCP2_CONNECTION_REFUSED, "server is full");
  }
  if (free_slots.empty()) {
    free_slots.push_back(static_cast<std::uint32_t>(slots.size()));
    slots.emplace_back();
  }
  const std::uint32_t index = free_slots.back();
  free_slots.pop_back();
  Slot& slot = slots[index];
  const Admission admission{packet, token, ConnectionKey{index, slot.generation}};
  ConnectionConfig connection_config = config.connection;
  if (ids.half_open_count() >= config.retry_above_half_open) {
    connection_config.handshake_timeout =
        std::min(connection_config.handshake_timeout, kHandshakeTimeoutUnderLoad);
  }
  slot.connection = std::make_unique<Connection>(std::make_unique<ConnectionState>(
      connection_config, credentials, Ends{visit.datagram.local, visit.datagram.remote}, admission,
      ids, visit.now));
  ++counters.accepted;
  return Accepted{admission.key};
}

Routed Endpoint::Parts::refuse(const Visit& visit, const FirstPacket& packet, std::uint64_t code,
                               std::string_view reason) {
  if (!budget.take(visit.now)) return ignored();
  return replied(write_refusal(visit.scratch, packet, code, reason));
}

Routed Endpoint::Parts::replied(std::size_t size) {
  if (size == 0) return ignored();
  ++counters.replies;
  return Reply{size};
}

Routed Endpoint::Parts::ignored() {
  ++counters.ignored;
  return Ignored{};
}

Slot* Endpoint::Parts::find(ConnectionKey key) {
  if (key.slot >= slots.size()) return nullptr;
  Slot& slot = slots[key.slot];
  return slot.generation == key.generation && slot.connection != nullptr ? &slot : nullptr;
}

Connection* Endpoint::find(ConnectionKey key) {
  Slot* slot = parts_->find(key);
  return slot == nullptr ? nullptr : slot->connection.get();
}

void Endpoint::remove(ConnectionKey key) {
  Slot* slot = parts_->find(key);
  if (slot == nullptr) return;
  slot->connection.reset();
  ++slot->generation;
  parts_->free_slots.push_back(key.slot);
}

void Endpoint::replace_credentials(std::shared_ptr<const ServerCredentials> credentials) {
  parts_->credentials = std::move(credentials);
}

std::size_t Endpoint::size() const { return parts_->slots.size() - parts_->free_slots.size(); }
const EndpointCounters& Endpoint::counters() const { return parts_->counters; }

}  // namespace orzatty::quic
