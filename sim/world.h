// A server and its clients in virtual time, joined by paths that treat datagrams as they please.
// What happens is a function of the seed: one queue of events, ordered by time and then by arrival.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/path.h"
#include "sim/chronicle.h"
#include "sim/client_host.h"
#include "sim/server_host.h"
#include "sim/streams.h"
#include "sim/trace.h"

namespace orzatty::sim {

using lab::Conditions;
using lab::PathCounts;

// Without faults, but with the delay and the packet size of an ordinary network.
inline Conditions ordinary_path(Duration delay = std::chrono::milliseconds(5)) {
  return {.delay = delay, .mtu = 1500 - 28};
}

// Both directions between a client and the server.
struct LinkConditions {
  Conditions up = ordinary_path();
  Conditions down = ordinary_path();
};

struct WorldConfig {
  std::uint64_t seed = 1;
  ServerConfig server;
  Duration server_clock_offset = Duration::zero();
};

using ClientIndex = std::size_t;

class World {
 public:
  explicit World(const WorldConfig& config,
                 std::function<void(Instant, std::string_view)> listener = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  struct ClientPlace {
    LinkConditions link;
    Duration clock_offset = Duration::zero();
    std::string identity = {};  // its name, where there is none
    std::uint64_t epoch = 0;    // before that of its named producers' first process
  };
  ClientIndex add_client(std::string_view name, const ClientPlace& place);
  // One that has no valid token, and tries all the same.
  ClientIndex add_intruder(std::string_view name, const ClientPlace& place);
  // What the client's program shall do.
  void feed(ClientIndex client, const Feed& feed);
  void subscribe(ClientIndex client, std::string_view pattern,
                 const StartPosition& start = StartPosition::start());
  void answer(ClientIndex client, std::string_view pattern);

  // Time.
  void run_for(Duration duration);
  bool run_until(const std::function<bool()>& done, Duration at_most);
  // `what` happens then.
  void at(Instant when, std::function<void()> what);
  [[nodiscard]] Instant now() const { return now_; }

  // Faults.
  [[nodiscard]] Conditions& up(ClientIndex client);
  [[nodiscard]] Conditions& down(ClientIndex client);
  void crash_server();
  void start_server();
  void pause_server();
  void wake_server();
  void kill_client(ClientIndex client);
  void start_client(ClientIndex client);
  void pause_client(ClientIndex client);
  void wake_client(ClientIndex client);
  // The NAT forgot the client: what it sends comes from another address, and the old one is
  // nobody's.
  void rebind(ClientIndex client);
  // The client itself has another address, and knows.
  void move(ClientIndex client);
  // Everything that was broken is whole, and everybody is up and awake. Delays and rates stay.
  void heal();

  // Published all, settled all, and every subscriber has all of the log that it asked for.
  [[nodiscard]] bool quiet();
  // Whom quiet() waits for.
  [[nodiscard]] std::string unquiet();

  [[nodiscard]] ClientHost& client(ClientIndex index);
  [[nodiscard]] std::size_t client_count() const { return seats_.size(); }
  [[nodiscard]] ServerHost& server() { return *server_; }
  [[nodiscard]] Chronicle& chronicle() { return chronicle_; }
  [[nodiscard]] Trace& trace() { return trace_; }
  [[nodiscard]] PathCounts path_counts() const;
  [[nodiscard]] std::uint64_t datagram_count() const { return datagram_count_; }
  [[nodiscard]] bool failed() const { return chronicle_.violation().has_value(); }

 private:
  struct Event;
  struct Seat;  // a machine's place in the world
  class Sender;

  ClientIndex add(std::string_view name, Role role, const ClientPlace& place);
  [[nodiscard]] Seat& server_seat() { return *server_seat_; }
  void push(Event event);
  void step();
  void handle(Event& event);
  void arrive(Seat& seat, const Event& event);
  [[nodiscard]] bool is_intruder(const base::Address& address) const;
  void run_timers();
  void write_touched();
  void touch(Seat& seat);
  void send(Seat& from, const quic::Packet& packet, BytesView bytes);
  void send_to_server(Seat& from, BytesView bytes, std::uint8_t ecn);
  void send_to_client(const base::Address& to, BytesView bytes, std::uint8_t ecn);
  void launch(Seat& from, Seat& to, lab::Path& path, const quic::Datagram& datagram);
  void pause(Seat& seat);
  void wake(Seat& seat);
  void finish_audit();
  void restart_auditor();
  [[nodiscard]] std::optional<Instant> next_event() const;
  base::Address next_address();
  void note(std::string_view what);

  Streams streams_;
  Trace trace_;
  Chronicle chronicle_;
  Instant now_ = Instant(std::chrono::seconds(1000));
  std::unique_ptr<ServerHost> server_;
  std::unique_ptr<Seat> server_seat_;
  std::vector<std::unique_ptr<Seat>> seats_;  // of clients; the first is the auditor
  std::map<base::Address, Seat*> by_address_;
  std::vector<Event> queue_;  // a heap
  std::vector<Seat*> touched_;
  std::uint64_t order_ = 0;
  std::uint64_t datagram_count_ = 0;
  std::uint16_t address_count_ = 0;
};

}  // namespace orzatty::sim
