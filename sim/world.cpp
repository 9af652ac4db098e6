#include "sim/world.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "sim/checkers/all.h"
#include "sim/entropy.h"
#include "sim/tls_identity.h"

namespace orzatty::sim {

namespace {

using namespace std::chrono_literals;

const base::Address kServerAddress = *base::Address::parse("192.0.2.1:4433");

// What the kernel keeps for a process that does not read.
constexpr std::size_t kSocketBytes = 256 * 1024;

}  // namespace

struct World::Event {
  Instant at;
  std::uint64_t order = 0;
  Seat* target = nullptr;  // of a datagram
  base::Address from;
  base::Address local;
  Bytes bytes;
  std::uint8_t ecn = 0;
  ServerLife life;
  std::function<void()> what;  // of anything else

  // The heap's top is what comes first.
  bool operator<(const Event& other) const {
    return at != other.at ? at > other.at : order > other.order;
  }
};

struct World::Seat {
  Seat(std::string_view seat_name, const LinkConditions& link, Streams streams, std::uint64_t index)
      : name(seat_name),
        up(link.up, streams.seed("up", index)),
        down(link.down, streams.seed("down", index)) {}

  std::string name;
  std::unique_ptr<ClientHost> client;  // null for the server
  Host* host = nullptr;
  base::Address outside;  // as the world sees it
  lab::Path up;
  lab::Path down;
  Duration offset = Duration::zero();  // of its clock
  std::optional<Instant> due;          // in the world's time
  bool paused = false;
  Instant paused_at;
  bool touched = false;
  std::vector<Event> backlog;  // arrived while it was paused
  std::size_t backlog_bytes = 0;
};

// Packets of one machine, on their way at once.
class World::Sender final : public link::PacketSink {
 public:
  Sender(World& world, Seat& seat) : world_(world), seat_(seat) {}
  std::span<std::byte> space() override { return space_; }
  void push(const quic::Packet& packet) override {
    world_.send(seat_, packet, BytesView(space_).first(packet.size));
  }
  [[nodiscard]] bool blocked() const override { return false; }

 private:
  World& world_;
  Seat& seat_;
  std::array<std::byte, 2048> space_{};
};

World::World(const WorldConfig& config, std::function<void(Instant, std::string_view)> listener)
    : streams_(config.seed), chronicle_(trace_) {
  static_cast<void>(client_credentials());  // made with chance of its own
  seed_entropy(streams_.seed("tls"));
  trace_.listener = std::move(listener);
  trace_.now = now_;
  for (auto& checker : all_checkers(chronicle_.archive(), config.server, trace_)) {
    chronicle_.add(std::move(checker));
  }
  server_ = std::make_unique<ServerHost>(config.server, streams_, chronicle_);
  server_seat_ = std::make_unique<Seat>("server", LinkConditions{}, streams_, 0);
  server_seat_->host = server_.get();
  server_seat_->offset = config.server_clock_offset;
  start_server();
  const Conditions perfect{.delay = 1us};
  subscribe(add("auditor", Role::kAuditor, {{perfect, perfect}}), ">");
}

World::~World() = default;

base::Address World::next_address() {
  return *base::Address::parse("198.51.100.7:" + std::to_string(20'000 + address_count_++));
}

ClientIndex World::add(std::string_view name, Role role, const ClientPlace& place) {
  const ClientIndex index = seats_.size();
  seats_.push_back(std::make_unique<Seat>(name, place.link, streams_, index + 1));
  Seat& seat = *seats_.back();
  seat.offset = place.clock_offset;
  seat.outside = next_address();
  by_address_[seat.outside] = &seat;
  const std::string identity = place.identity.empty() ? std::string(name) : place.identity;
  ClientConfig config{.identity = identity,
                      .token = role == Role::kIntruder ? std::string("none") : token_of(identity),
                      .role = role,
                      .limits = server_->config().limits,
                      .index = index,
                      .epoch = place.epoch,
                      .server = &server_->config()};
  seat.client = std::make_unique<ClientHost>(std::move(config), kServerAddress, streams_,
                                             chronicle_, now_ + seat.offset);
  seat.client->address = seat.outside;
  seat.host = seat.client.get();
  touch(seat);
  return index;
}

ClientIndex World::add_client(std::string_view name, const ClientPlace& place) {
  return add(name, Role::kClient, place);
}
ClientIndex World::add_intruder(std::string_view name, const ClientPlace& place) {
  return add(name, Role::kIntruder, place);
}

void World::feed(ClientIndex client, const Feed& feed) {
  Seat& seat = *seats_[client];
  seat.client->feed(feed, now_ + seat.offset);
  touch(seat);
}

void World::subscribe(ClientIndex client, std::string_view pattern, const StartPosition& start) {
  Seat& seat = *seats_[client];
  seat.client->subscribe(pattern, start);
  touch(seat);
}

void World::answer(ClientIndex client, std::string_view pattern) {
  Seat& seat = *seats_[client];
  seat.client->answer(pattern);
  touch(seat);
}

ClientHost& World::client(ClientIndex index) { return *seats_[index]->client; }
Conditions& World::up(ClientIndex client) { return seats_[client]->up.conditions; }
Conditions& World::down(ClientIndex client) { return seats_[client]->down.conditions; }

// Time.

void World::push(Event event) {
  event.order = order_++;
  queue_.push_back(std::move(event));
  std::push_heap(queue_.begin(), queue_.end());
}

void World::at(Instant when, std::function<void()> what) {
  Event event;
  event.at = std::max(when, now_);
  event.what = std::move(what);
  push(std::move(event));
}

std::optional<Instant> World::next_event() const {
  std::optional<Instant> next;
  const auto earlier = [&](std::optional<Instant> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  if (!queue_.empty()) earlier(queue_.front().at);
  if (!server_seat_->paused) earlier(server_seat_->due);
  for (const auto& seat : seats_) {
    if (!seat->paused) earlier(seat->due);
  }
  return next;
}

bool World::run_until(const std::function<bool()>& done, Duration at_most) {
  const Instant end = now_ + at_most;
  write_touched();
  while (!failed() && !done()) {
    const auto next = next_event();
    if (!next || *next > end) {
      now_ = trace_.now = end;
      return false;
    }
    now_ = trace_.now = std::max(now_, *next);
    step();
  }
  return !failed();
}

void World::run_for(Duration duration) {
  const Instant end = now_ + duration;
  static_cast<void>(run_until([] { return false; }, duration));
  if (!failed()) now_ = trace_.now = end;
}

// Everything of this moment is handled before anybody answers.
void World::step() {
  while (!queue_.empty() && queue_.front().at <= now_) {
    std::pop_heap(queue_.begin(), queue_.end());
    Event event = std::move(queue_.back());
    queue_.pop_back();
    handle(event);
  }
  run_timers();
  write_touched();
}

void World::handle(Event& event) {
  if (event.what) return event.what();
  Seat& seat = *event.target;
  if (!seat.paused) return arrive(seat, event);
  if (seat.backlog_bytes + event.bytes.size() > kSocketBytes) return;
  seat.backlog_bytes += event.bytes.size();
  seat.backlog.push_back(std::move(event));
}

void World::arrive(Seat& seat, const Event& event) {
  // An address that the client has left.
  if (seat.client && event.local != seat.client->address) return;
  trace_.add(now_);
  trace_.add(event.bytes);
  Sender sender(*this, seat);
  const base::Address& local = seat.client ? event.local : kServerAddress;
  const bool strange = !seat.client && is_intruder(event.from);
  const auto before = strange ? server_->effects() : std::vector<std::uint64_t>();
  seat.host->handle({local, event.from, event.bytes, event.ecn}, event.life, sender,
                    now_ + seat.offset);
  if (strange && server_->effects() != before) chronicle_.handle(IntruderActed{});
  touch(seat);
}

bool World::is_intruder(const base::Address& address) const {
  const auto found = by_address_.find(address);
  return found != by_address_.end() && found->second->client->role() == Role::kIntruder;
}

void World::run_timers() {
  const auto run = [this](Seat& seat) {
    if (seat.paused || !seat.due || *seat.due > now_) return;
    seat.host->handle_timeout(now_ + seat.offset);
    touch(seat);
  };
  run(*server_seat_);
  for (const auto& seat : seats_) run(*seat);
}

void World::touch(Seat& seat) {
  if (seat.touched) return;
  seat.touched = true;
  touched_.push_back(&seat);
}

void World::write_touched() {
  // A fault may touch while others write.
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    Seat& seat = *touched_[i];
    seat.touched = false;
    if (seat.paused) continue;
    Sender sender(*this, seat);
    seat.host->write(sender, now_ + seat.offset);
    const auto next = seat.host->next_timeout();
    seat.due = next ? std::optional(std::max(*next - seat.offset, now_)) : std::nullopt;
  }
  touched_.clear();
}

// Datagrams.

void World::send(Seat& from, const quic::Packet& packet, BytesView bytes) {
  ++datagram_count_;
  if (&from == server_seat_.get()) {
    send_to_client(packet.remote, bytes, packet.ecn);
  } else {
    send_to_server(from, bytes, packet.ecn);
  }
}

void World::send_to_server(Seat& from, BytesView bytes, std::uint8_t ecn) {
  launch(from, *server_seat_, from.up, {kServerAddress, from.outside, bytes, ecn});
}

void World::send_to_client(const base::Address& to, BytesView bytes, std::uint8_t ecn) {
  const auto found = by_address_.find(to);
  if (found == by_address_.end()) return;  // an address that nobody has any more
  Seat& seat = *found->second;
  launch(*server_seat_, seat, seat.down, {seat.client->address, kServerAddress, bytes, ecn});
}

void World::launch(Seat& from, Seat& to, lab::Path& path, const quic::Datagram& datagram) {
  trace_.add(now_);
  trace_.add(datagram.bytes);
  lab::Path::Arrivals arrivals = path.carry(datagram.bytes, now_);
  if (trace_.told()) {
    trace_.tell(from.name + " -> " + to.name + " " + std::to_string(datagram.bytes.size()) +
                (arrivals.count == 0   ? " lost"
                 : arrivals.count == 2 ? " twice"
                                       : ""));
  }
  for (std::size_t i = 0; i < arrivals.count; ++i) {
    Event event;
    event.at = arrivals.items[i].at;
    event.bytes = std::move(arrivals.items[i].bytes);
    event.target = &to;
    event.from = datagram.remote;
    event.local = datagram.local;
    event.ecn = datagram.ecn;
    event.life = server_->life();
    push(std::move(event));
  }
}

PathCounts World::path_counts() const {
  PathCounts all;
  for (const auto& seat : seats_) {
    all += seat->up.counts;
    all += seat->down.counts;
  }
  return all;
}

// Faults.

void World::note(std::string_view what) {
  trace_.add(now_);
  trace_.add(bytes_of(what));
  trace_.tell(what);
}

// The auditor is told everything that the hub still has to say to it, in no time: a server that
// falls right after it accepted something leaves a record of it.
void World::finish_audit() {
  Seat& auditor = *seats_.front();
  for (int left = 1000; left > 0; --left) {
    touch(*server_seat_);
    touch(auditor);
    write_touched();
    std::vector<Event> between;
    std::erase_if(queue_, [&](Event& event) {
      const bool ours = event.target == &auditor ||
                        (event.target == server_seat_.get() && event.from == auditor.outside);
      if (ours) between.push_back(std::move(event));
      return ours;
    });
    std::make_heap(queue_.begin(), queue_.end());
    if (between.empty()) return;
    std::ranges::sort(between, {}, &Event::order);
    for (Event& event : between) arrive(*event.target, event);
  }
}

void World::crash_server() {
  if (!server_->running()) return;
  wake(*server_seat_);
  finish_audit();
  note("the server crashes");
  server_->kill();
  server_seat_->due.reset();
  touch(*server_seat_);
}

void World::start_server() {
  if (server_->running()) return;
  note("the server starts");
  server_->start(now_ + server_seat_->offset);
  touch(*server_seat_);
  restart_auditor();
}

// So that it is there before anybody else, whose backoff and round trips take longer.
void World::restart_auditor() {
  if (seats_.empty()) return;
  kill_client(0);
  start_client(0);
}

void World::pause(Seat& seat) {
  if (seat.paused) return;
  note(seat.name + " pauses");
  seat.paused = true;
  seat.paused_at = now_;
}

void World::wake(Seat& seat) {
  if (!seat.paused) return;
  note(seat.name + " wakes up");
  seat.paused = false;
  seat.backlog_bytes = 0;
  for (const Event& event : std::exchange(seat.backlog, {})) arrive(seat, event);
  touch(seat);
}

void World::pause_server() { pause(*server_seat_); }
void World::wake_server() {
  const bool long_gone = server_seat_->paused && now_ - server_seat_->paused_at > 3s;
  wake(*server_seat_);
  if (long_gone) restart_auditor();
}
void World::pause_client(ClientIndex client) { pause(*seats_[client]); }
void World::wake_client(ClientIndex client) { wake(*seats_[client]); }

void World::kill_client(ClientIndex client) {
  Seat& seat = *seats_[client];
  if (!seat.client->running()) return;
  note(seat.name + " is killed");
  seat.client->kill();
  seat.due.reset();
  seat.backlog.clear();
  touch(seat);
}

void World::start_client(ClientIndex client) {
  Seat& seat = *seats_[client];
  if (seat.client->running() || seat.client->fenced()) return;
  note(seat.name + " starts again");
  seat.client->start(now_ + seat.offset);
  touch(seat);
}

void World::rebind(ClientIndex client) {
  Seat& seat = *seats_[client];
  by_address_.erase(seat.outside);
  seat.outside = next_address();
  by_address_[seat.outside] = &seat;
  note(seat.name + " is behind another address");
}

void World::move(ClientIndex client) {
  rebind(client);
  Seat& seat = *seats_[client];
  seat.client->move(seat.outside, now_ + seat.offset);
  touch(seat);
}

void World::heal() {
  note("everything is healed");
  const auto mend = [](Conditions& conditions) {
    conditions.loss = conditions.bursts.begins = conditions.reordering = 0;
    conditions.duplication = conditions.corruption = conditions.truncation = 0;
    conditions.open = true;
    conditions.mtu = std::max<std::size_t>(conditions.mtu, 1472);
  };
  start_server();
  wake_server();
  for (ClientIndex i = 0; i < seats_.size(); ++i) {
    mend(up(i));
    mend(down(i));
    wake_client(i);
    start_client(i);
  }
  chronicle_.handle(Healed{});
}

std::string World::unquiet() {
  for (const auto& seat : seats_) {
    if (seat->client->role() == Role::kIntruder || seat->client->fenced()) continue;
    if (!seat->client->connected()) return seat->name + " is not connected";
    if (!seat->client->settled()) return seat->name + " has messages without a fate";
  }
  return chronicle_.unrest();
}

bool World::quiet() { return unquiet().empty(); }

}  // namespace orzatty::sim
