// The connection ids of a server: makes them, finds connections by them, and counts who has not
// finished the handshake yet.
//
// Ids are unpredictable to who lacks the secret, so that nobody can aim datagrams at connections of
// others; the table's hash is keyed, so that ids a client chose cannot be made to collide.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/planted.h"
#include "orzatty/bytes.h"
#include "quic/endpoint.h"
#include "quic/keyed_random.h"

namespace orzatty::quic {

struct ConnectionId {
  static constexpr std::size_t kSizeMax = NGTCP2_MAX_CIDLEN;
  std::uint8_t size = 0;
  std::array<std::uint8_t, kSizeMax> bytes{};  // zeroes behind `size`

  ConnectionId() = default;
  ConnectionId(const std::uint8_t* data, std::size_t data_size);
  explicit ConnectionId(const ngtcp2_cid& id) : ConnectionId(id.data, id.datalen) {}
  [[nodiscard]] ngtcp2_cid native() const;
  bool operator==(const ConnectionId&) const = default;
};

using ResetToken = std::array<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN>;

class ConnectionIds {
 public:
  // 1 byte of shard and 11 random ones: 2^88 is beyond guessing.
  static constexpr std::size_t kSize = 12;

  ConnectionIds(const EndpointConfig& config, std::uint64_t seed);

  [[nodiscard]] ConnectionId make();
  // From the secret alone: a server that forgot the connection still knows it.
  [[nodiscard]] ResetToken reset_token(const ConnectionId& id) const;
  // Of this server, for all that it seals.
  [[nodiscard]] BytesView secret() const { return secret_; }
  [[nodiscard]] KeyedRandom& random() { return random_; }

  // False when the id is another connection's already.
  [[nodiscard]] bool add(const ConnectionId& id, ConnectionKey key);
  void remove(const ConnectionId& id) {
    if (base::planted(base::PlantedBug::kIdsOutliveConnections)) return;
    last_ = table_.end();
    table_.erase(id);
  }
  [[nodiscard]] std::optional<ConnectionKey> find(const ConnectionId& id);
  [[nodiscard]] std::size_t size() const { return table_.size(); }

  [[nodiscard]] std::size_t half_open_count() const { return half_open_count_; }
  void handshake_begun() { ++half_open_count_; }
  void handshake_ended() { --half_open_count_; }

 private:
  struct Hash {
    std::uint64_t key = 0;
    std::size_t operator()(const ConnectionId& id) const;
  };

  std::array<std::byte, 32> secret_;
  std::uint8_t shard_;
  KeyedRandom random_;
  using Table = std::unordered_map<ConnectionId, ConnectionKey, Hash>;
  Table table_;  // never iterated
  Table::const_iterator last_;  // that was found: packets of one connection come in a row
  std::size_t half_open_count_ = 0;
};

}  // namespace orzatty::quic
