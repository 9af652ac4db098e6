#include "lab_relay.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "net/clock.h"
#include "open_files.h"

namespace orzatty::apps {
namespace {

constexpr std::uint64_t kListener = 0;                             // token; clients count from 1
constexpr std::size_t kReceiveCount = 16;                          // per turn and socket
constexpr std::size_t kClientCountMax = 10'000;                    // each is a socket or more
constexpr std::size_t kWaitingBytesMax = std::size_t{256} << 20U;  // 2 Gbit/s for a second
constexpr Duration kIdleMax = std::chrono::minutes(2);             // as RFC 4787 asks of a NAT
constexpr Duration kForgetEvery = std::chrono::seconds(1);

// The batches are shared by sockets, so they are empty when the next one comes. The kernel's buffer
// has room again as soon as the device has sent something.
void flush_all(net::SendBatch& batch, net::UdpSocket& socket) {
  while (batch.flush(socket) == net::SendStatus::kBlocked) {
    pollfd writable{.fd = socket.fd(), .events = POLLOUT, .revents = 0};
    ::poll(&writable, 1, -1);
  }
}

void push(net::SendBatch& batch, net::UdpSocket& socket, BytesView bytes,
          const base::Address& local, const base::Address& remote, std::uint8_t ecn) {
  if (bytes.size() > net::SendBatch::kGroupSizeMax) return;  // no IP packet holds it
  auto room = batch.space(bytes.size());
  if (room.empty()) {
    flush_all(batch, socket);
    room = batch.space(bytes.size());
  }
  std::ranges::copy(bytes, room.begin());
  batch.push(bytes.size(), local, remote, ecn);
}

}  // namespace

Result<std::unique_ptr<LabRelay>> LabRelay::open(const base::Address& listen,
                                                 const base::Address& server,
                                                 lab::FaultScript script) {
  allow_many_files();
  auto listener = net::UdpSocket::bind(listen, {});
  if (!listener) return std::unexpected(failure_of(listener.error()));
  // Now, rather than at the first client: a server that cannot be sent to is a mistake of the
  // caller.
  const auto probe = LabClient::open_socket(server);
  if (!probe) return std::unexpected(failure_of(probe.error()));
  auto poller = net::Poller::open();
  if (!poller) return std::unexpected(failure_of(poller.error()));
  const auto added = poller->add(listener->fd(), kListener, net::Interest::kRead);
  if (!added) return std::unexpected(failure_of(added.error()));
  return std::unique_ptr<LabRelay>(new LabRelay(server, std::move(script), std::move(*listener),
                                                std::move(*poller), net::now()));
}

LabRelay::LabRelay(const base::Address& server, lab::FaultScript script, net::UdpSocket listener,
                   net::Poller poller, Instant now)
    : server_(server),
      script_(std::move(script)),
      seeds_(script_.seed.value_or(0)),
      listener_(std::move(listener)),
      poller_(std::move(poller)),
      began_(now),
      network_(&script_.network),
      change_at_(now),
      forget_at_(now + kForgetEvery) {
  follow_script(now);
}

void LabRelay::turn(Instant until) {
  for (const net::Ready& ready : poller_.wait(next_instant(until))) {
    if (ready.token == kListener) {
      receive_from_clients();
    } else if (const auto found = clients_.find(ready.token); found != clients_.end()) {
      receive_from_server(*found->second);
    }
  }
  const Instant now = net::now();
  follow_script(now);
  deliver(now);
  forget_idle(now);
}

LabCounts LabRelay::counts() const {
  LabCounts counts = past_;
  for (const auto& [number, client] : clients_) {
    counts.up.path += client->up.counts;
    counts.down.path += client->down.counts;
  }
  return counts;
}

Instant LabRelay::next_instant(Instant until) const {
  until = std::min(until, forget_at_);
  if (change_at_) until = std::min(until, *change_at_);
  if (rebind_at_) until = std::min(until, *rebind_at_);
  if (!departures_.empty()) until = std::min(until, departures_.front().at);
  return until;
}

void LabRelay::receive_from_clients() {
  const auto arrived = inbox_.receive(listener_, kReceiveCount);
  const Instant now = net::now();
  for (const net::Received& received : arrived) {
    if (LabClient* client = client_of(received, now)) {
      carry(*client, Way::kUp, received, now);
    } else {
      ++past_.refused;
    }
  }
}

void LabRelay::receive_from_server(LabClient& client) {
  const auto arrived = inbox_.receive(client.socket, kReceiveCount);
  const Instant now = net::now();
  for (const net::Received& received : arrived) carry(client, Way::kDown, received, now);
}

LabClient* LabRelay::client_of(const net::Received& received, Instant now) {
  const auto known = numbers_.find(received.remote);
  if (known != numbers_.end()) return clients_.at(known->second).get();
  if (clients_.size() >= kClientCountMax) return nullptr;
  auto socket = LabClient::open_socket(server_);
  if (!socket) return nullptr;
  const ClientNumber number = next_client_++;
  if (!poller_.add(socket->fd(), number, net::Interest::kRead)) return nullptr;
  auto made = std::make_unique<LabClient>(received.remote, received.local, std::move(*socket),
                                          *network_, seeds_.next());
  made->used_at = now;
  ++past_.clients;
  numbers_.emplace(received.remote, number);
  return clients_.emplace(number, std::move(made)).first->second.get();
}

void LabRelay::carry(LabClient& client, Way way, const net::Received& received, Instant now) {
  const ClientNumber number = numbers_.at(client.remote);
  lab::Path& path = way == Way::kUp ? client.up : client.down;
  client.used_at = now;
  for (BytesView rest = received.bytes; !rest.empty();) {
    const BytesView datagram = rest.first(std::min(received.segment_size, rest.size()));
    rest = rest.subspan(datagram.size());
    auto arrivals = path.carry(datagram, now);
    for (std::size_t i = 0; i < arrivals.count; ++i) {
      keep({.at = arrivals.items[i].at,
            .order = next_order_++,
            .client = number,
            .way = way,
            .ecn = received.ecn,
            .bytes = std::move(arrivals.items[i].bytes)});
    }
  }
}

void LabRelay::keep(Departure departure) {
  if (departure.bytes.empty()) return;  // truncated to nothing, which nobody would notice
  if (waiting_bytes_ + departure.bytes.size() > kWaitingBytesMax) {
    ++past_.dropped;
    return;
  }
  waiting_bytes_ += departure.bytes.size();
  departures_.push_back(std::move(departure));
  std::ranges::push_heap(departures_, Later{});
}

void LabRelay::follow_script(Instant now) {
  if (change_at_ && *change_at_ <= now) {
    const Duration elapsed = now - began_;
    const lab::Network* before = std::exchange(network_, &script_.at(elapsed));
    const auto next = script_.next_change(elapsed);
    change_at_ = next ? std::optional(began_ + *next) : std::nullopt;
    for (const auto& [number, client] : clients_) {
      client->up.conditions = network_->up;
      client->down.conditions = network_->down;
    }
    const auto every = network_->rebind_every;
    if (!every) rebind_at_.reset();
    if (every && (!rebind_at_ || before->rebind_every != every)) rebind_at_ = now + *every;
  }
  if (rebind_at_ && *rebind_at_ <= now) {
    rebind_all(now);
    rebind_at_ = now + *network_->rebind_every;
  }
}

void LabRelay::rebind_all(Instant now) {
  for (const auto& [number, client] : clients_) {
    auto socket = LabClient::open_socket(server_);
    if (!socket) continue;  // out of files: it keeps the port that it has
    poller_.remove(client->socket.fd());
    client->rebind(std::move(*socket), now);
    // A poller that refuses has no memory left; then the next rebinding tries again.
    (void)poller_.add(client->socket.fd(), number, net::Interest::kRead);
    ++past_.rebinds;
  }
}

void LabRelay::forget_idle(Instant now) {
  if (now < forget_at_) return;
  forget_at_ = now + kForgetEvery;
  std::vector<ClientNumber> idle;
  for (const auto& [number, client] : clients_) {
    client->close_retired(now);
    if (now - client->used_at > kIdleMax) idle.push_back(number);
  }
  for (const ClientNumber number : idle) forget(number);
}

void LabRelay::forget(ClientNumber number) {
  const auto found = clients_.find(number);
  ORZATTY_ASSERT(found != clients_.end());
  LabClient& client = *found->second;
  past_.up.path += client.up.counts;
  past_.down.path += client.down.counts;
  poller_.remove(client.socket.fd());
  numbers_.erase(client.remote);
  clients_.erase(found);
}

void LabRelay::deliver(Instant now) {
  while (!departures_.empty() && departures_.front().at <= now) {
    std::ranges::pop_heap(departures_, Later{});
    const Departure departure = std::move(departures_.back());
    departures_.pop_back();
    waiting_bytes_ -= departure.bytes.size();
    const auto found = clients_.find(departure.client);
    if (found == clients_.end()) continue;  // idle for longer than any delay
    if (departure.way == Way::kUp) {
      deliver_up(*found->second, departure);
    } else {
      deliver_down(*found->second, departure);
    }
  }
  flush_up();
  flush_all(to_clients_, listener_);
}

void LabRelay::deliver_up(LabClient& client, const Departure& departure) {
  if (sender_ != &client) flush_up();
  sender_ = &client;
  push(to_server_, client.socket, departure.bytes, {}, server_, departure.ecn);
  ++past_.up.arrived;
  past_.up.bytes += departure.bytes.size();
}

void LabRelay::deliver_down(const LabClient& client, const Departure& departure) {
  push(to_clients_, listener_, departure.bytes, client.local, client.remote, departure.ecn);
  ++past_.down.arrived;
  past_.down.bytes += departure.bytes.size();
}

void LabRelay::flush_up() {
  if (sender_ != nullptr) flush_all(to_server_, sender_->socket);
  sender_ = nullptr;
}

}  // namespace orzatty::apps
