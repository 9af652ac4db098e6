// The server's front door: finds the connection that a datagram belongs to, lets new ones in, and
// answers strangers without keeping anything of them.
//
// Owns its connections. A ConnectionKey stays valid until remove(); keys are reused afterwards with
// another generation, so an old key finds nothing. No I/O, no clock; `seed` feeds connection ids,
// tokens and keys. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>

#include "quic/connection.h"
#include "quic/credentials.h"

namespace orzatty::quic {

struct ConnectionKey {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  bool operator==(const ConnectionKey&) const = default;
};

struct EndpointConfig {
  ConnectionConfig connection{};
  std::size_t connection_count_max = 20'000;
  std::size_t half_open_count_max = 2'000;
  std::size_t retry_above_half_open = 500;  // from then on strangers prove their address first
  std::uint8_t shard = 0;                   // first byte of every connection id
  std::array<std::byte, 32> secret{};       // of Retry tokens and stateless resets
};

// What to do with a datagram that was routed.
struct Ignored {};                                  // too short, unknown, or not worth an answer
struct Reply { std::size_t size; };                 // bytes in `scratch` to send back to its source
struct Known { ConnectionKey key; };                // hand it to that connection
struct Accepted { ConnectionKey key; };             // a new connection; hand it the datagram too
using Routed = std::variant<Ignored, Reply, Known, Accepted>;

struct EndpointCounters {
  std::uint64_t ignored = 0;
  std::uint64_t replies = 0;   // Version Negotiation, Retry, stateless reset
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;   // above a cap
};

class Endpoint {
 public:
  Endpoint(const EndpointConfig& config, std::shared_ptr<const ServerCredentials> credentials,
           std::uint64_t seed, Instant now);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // `scratch`, at least 1500 bytes, takes a Reply, which is never larger than the datagram.
  [[nodiscard]] Routed route(const Datagram& datagram, std::span<std::byte> scratch, Instant now);
  [[nodiscard]] Connection* find(ConnectionKey key);
  void remove(ConnectionKey key);

  // New connections use these from now on; the old ones keep theirs.
  void replace_credentials(std::shared_ptr<const ServerCredentials> credentials);

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const EndpointCounters& counters() const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace orzatty::quic
