// The UDP proxy of `orzatty lab`: clients on one side, a server on the other, and between them the
// paths of a fault script. Each client has a socket of its own towards the server, as behind a NAT,
// and paths of its own; so a rate is what each of them has.
//
// One thread. Nothing but turn() reads the clock or waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/prng.h"
#include "failure.h"
#include "lab/fault_script.h"
#include "lab_client.h"
#include "net/poller.h"
#include "net/receive_batch.h"
#include "net/send_batch.h"
#include "net/udp_socket.h"

namespace orzatty::apps {

// What happened so far, over all clients.
struct LabCounts {
  struct Way {
    lab::PathCounts path;
    std::uint64_t arrived = 0;  // datagrams sent on, copies too
    std::uint64_t bytes = 0;    // of these
  };
  Way up;
  Way down;
  std::uint64_t clients = 0;
  std::uint64_t rebinds = 0;
  std::uint64_t refused = 0;  // datagrams of clients for whom there was no socket
  std::uint64_t dropped = 0;  // datagrams that the lab itself had no memory for
};

class LabRelay {
 public:
  // The script has a seed.
  static Result<std::unique_ptr<LabRelay>> open(const base::Address& listen,
                                                const base::Address& server,
                                                lab::FaultScript script);

  // Sleeps until something comes or is due, `until` at the latest; then does it.
  void turn(Instant until);

  [[nodiscard]] const base::Address& address() const { return listener_.local_address(); }
  [[nodiscard]] LabCounts counts() const;
  [[nodiscard]] std::size_t client_count() const { return clients_.size(); }
  [[nodiscard]] std::size_t waiting_count() const { return departures_.size(); }
  [[nodiscard]] const lab::Network& network() const { return *network_; }

 private:
  using ClientNumber = std::uint64_t;
  enum class Way : std::uint8_t { kUp, kDown };

  // A datagram that has been sent and not yet arrived.
  struct Departure {
    Instant at;
    std::uint64_t order = 0;  // of those at the same time the first comes first
    ClientNumber client = 0;
    Way way = Way::kUp;
    std::uint8_t ecn = 0;
    Bytes bytes;
  };
  struct Later {
    bool operator()(const Departure& left, const Departure& right) const {
      return left.at != right.at ? left.at > right.at : left.order > right.order;
    }
  };

  LabRelay(const base::Address& server, lab::FaultScript script, net::UdpSocket listener,
           net::Poller poller, Instant now);
  [[nodiscard]] Instant next_instant(Instant until) const;
  void receive_from_clients();
  void receive_from_server(LabClient& client);
  LabClient* client_of(const net::Received& received, Instant now);
  void carry(LabClient& client, Way way, const net::Received& received, Instant now);
  void keep(Departure departure);
  void follow_script(Instant now);
  void rebind_all(Instant now);
  void forget_idle(Instant now);
  void forget(ClientNumber number);
  void deliver(Instant now);
  void deliver_up(LabClient& client, const Departure& departure);
  void deliver_down(const LabClient& client, const Departure& departure);
  void flush_up();

  base::Address server_;
  lab::FaultScript script_;
  base::Prng seeds_;
  net::UdpSocket listener_;
  net::Poller poller_;
  Instant began_;
  const lab::Network* network_;
  std::optional<Instant> change_at_;
  std::optional<Instant> rebind_at_;
  Instant forget_at_;
  std::map<ClientNumber, std::unique_ptr<LabClient>> clients_;
  std::map<base::Address, ClientNumber> numbers_;
  ClientNumber next_client_ = 1;
  std::vector<Departure> departures_;  // a heap by Later
  std::uint64_t next_order_ = 0;
  std::size_t waiting_bytes_ = 0;
  net::ReceiveBatch inbox_;
  net::SendBatch to_clients_;
  net::SendBatch to_server_;
  LabClient* sender_ = nullptr;  // whose datagrams are in to_server_
  LabCounts past_;               // without the paths of the clients that are there
};

}  // namespace orzatty::apps
