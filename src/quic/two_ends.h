// For tests: a server and clients in virtual time, joined by a link that may lose and delay.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "orzatty/bytes.h"
#include "quic/connection.h"
#include "quic/credentials.h"
#include "quic/endpoint.h"

namespace orzatty::quic::test {

using namespace std::chrono_literals;

inline const base::Address kServerAddress = *base::Address::parse("192.0.2.1:4433");
inline const base::Address kClientAddress = *base::Address::parse("198.51.100.7:50000");

// A certificate of this moment, for the names of SelfSignedOptions.
std::shared_ptr<const ServerCredentials> server_credentials(const SelfSigned& certificate);
std::shared_ptr<const ClientCredentials> trusting(const SelfSigned& certificate);  // as authority
std::shared_ptr<const ClientCredentials> pinning(const SelfSigned& certificate);
std::shared_ptr<const ClientCredentials> trusting_anyone();
SelfSigned self_signed(SelfSignedOptions options = {});

// What was borrowed to a stream stays where it is.
struct Outgoing {
  std::deque<std::string> chunks;
  std::size_t chunk = 0;
  std::size_t sent = 0;  // of that chunk
  bool fin = false;
  bool fin_sent = false;
  bool blocked = false;
  bool gone = false;

  [[nodiscard]] bool ready() const {
    return !blocked && !gone && (chunk < chunks.size() || (fin && !fin_sent));
  }
};

// One end of a connection, with what it received and what happened to it.
class End final : public StreamSink {
 public:
  explicit End(Connection* connection) : connection_(connection) {}
  void on_stream_bytes(StreamId stream, BytesView bytes, Fin fin) override;

  void on_datagram_frame(BytesView bytes) override { datagrams.emplace_back(text_of(bytes)); }

  void send(StreamId stream, std::string bytes, Fin fin = Fin::kNo);
  void send_datagram(std::uint64_t tag, std::string bytes) {
    outgoing_datagrams.emplace_back(tag, std::move(bytes));
  }
  StreamId open(StreamKind kind) { return *connection_->open_stream(kind); }
  // Gives back the credit of all that arrives.
  void grant_automatically() { granting_ = true; }

  template <class Kind>
  [[nodiscard]] std::vector<Kind> happened() const {
    std::vector<Kind> found;
    for (const Event& event : events) {
      if (const auto* kind = std::get_if<Kind>(&event)) found.push_back(*kind);
    }
    return found;
  }
  template <class Kind>
  [[nodiscard]] bool has() const {
    return !happened<Kind>().empty();
  }
  [[nodiscard]] Closed closed() const {
    const auto all = happened<Closed>();
    return all.size() == 1 ? all.front() : Closed{CloseOrigin::kLocal, 0, "not closed once"};
  }

  Connection& connection() { return *connection_; }
  void poll();
  // Offers what is ready; returns the packet that came of it.
  Written write(std::span<std::byte> out, Instant now);

  std::map<StreamId, std::string> received;
  std::set<StreamId> finished;
  std::vector<Event> events;
  std::vector<std::size_t> packet_sizes;
  std::map<StreamId, Outgoing> outgoing;
  std::vector<std::string> datagrams;  // received
  std::deque<std::pair<std::uint64_t, std::string>> outgoing_datagrams;
  std::vector<std::uint64_t> refused_datagrams;

 private:
  // Nothing when the packet may take more.
  [[nodiscard]] std::optional<Written> write_datagrams(std::span<std::byte> out, Instant now);

  Connection* connection_;
  bool granting_ = false;
  std::vector<std::pair<StreamId, std::size_t>> credit_;
};

struct LinkConfig {
  Duration delay = 10ms;
  double loss = 0;
  double damage = 0;                   // of one bit
  std::size_t packet_size_max = 1500;  // larger ones vanish
};

struct WorldConfig {
  EndpointConfig server = {};
  LinkConfig link = {};
  std::uint64_t seed = 1;
};

class World {
 public:
  explicit World(const WorldConfig& config, std::shared_ptr<const ServerCredentials> credentials);

  End& connect(const ConnectionConfig& config, std::shared_ptr<const ClientCredentials> credentials,
               const std::string& server_name = "localhost",
               const base::Address& address = kClientAddress);
  // The server's ends, in the order in which they were accepted.
  End& server(std::size_t index = 0) { return *accepted_[index].end; }
  [[nodiscard]] std::size_t accepted_count() const { return accepted_.size(); }

  // Datagrams of nobody's connection.
  Routed throw_at_server(BytesView bytes, const base::Address& from);

  bool run_until(const std::function<bool()>& done, Duration at_most = 60s);
  void run_for(Duration duration);
  void pump();  // all that can be sent now is on the link afterwards
  // What the next packets of a client have as their source, as behind a NAT.
  void rebind(const base::Address& from, const base::Address& to) { rebound_[from] = to; }
  void forget_server_connections();  // as a restart does

  Instant now = Instant(1s);
  LinkConfig link;
  Endpoint endpoint;
  std::array<std::byte, 1500> scratch{};
  bool server_answers = true;
  std::size_t damaged_count = 0;

 private:
  struct Client {
    std::unique_ptr<Connection> connection;
    std::unique_ptr<End> end;
    base::Address address;
  };
  struct Peer {
    ConnectionKey key;
    std::unique_ptr<End> end;
    bool removed = false;
  };
  struct Flying {
    base::Address from;
    base::Address to;
    Bytes bytes;
  };

  void send(const base::Address& from, const base::Address& to, BytesView bytes);
  void pump_end(End& end);
  void deliver(const Flying& datagram);
  void deliver_to_server(const Flying& datagram);
  [[nodiscard]] std::optional<Instant> next_event();
  void step(Instant at);
  std::vector<End*> ends();

  base::Prng random_;
  std::uint64_t seed_;
  std::vector<Client> clients_;
  std::vector<Peer> accepted_;
  std::multimap<Instant, Flying> flying_;
  std::map<base::Address, base::Address> rebound_;
};

}  // namespace orzatty::quic::test
