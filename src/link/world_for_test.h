// A whole server and whole clients in one thread and in virtual time, joined by links that delay
// and lose. For the tests of this layer.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "link/client_link.h"
#include "link/server_engine.h"
#include "wire/message.h"

namespace orzatty::link::test {

using namespace std::chrono_literals;

inline const base::Address kServerAddress = *base::Address::parse("192.0.2.1:4433");

inline ChannelName channel(std::string_view text) { return *ChannelName::parse(text); }

// One certificate for all worlds of a test program.
inline const quic::SelfSigned& certificate() {
  static const quic::SelfSigned made =
      *quic::make_self_signed({.dns_names = {"localhost"}, .unix_time = 1'800'000'000});
  return made;
}
inline std::shared_ptr<const quic::ServerCredentials> server_credentials() {
  return *quic::ServerCredentials::from_pem(certificate().certificate_pem,
                                            certificate().private_key_pem);
}
// By its pin, which does not look at dates: TLS would ask the machine for the time.
inline std::shared_ptr<const quic::ClientCredentials> client_credentials() {
  const auto facts = quic::read_certificate(certificate().certificate_pem);
  return *quic::ClientCredentials::make(
      {.kind = quic::Trust::Kind::kPin, .authorities_pem = {}, .pins = {facts->fingerprint}});
}

struct Datagram {
  base::Address from;
  base::Address to;
  Bytes bytes;
  std::uint8_t ecn = 0;
};

// Takes every packet, until it is emptied.
class Packets final : public PacketSink {
 public:
  std::span<std::byte> space() override { return space_; }
  void push(const quic::Packet& packet) override {
    packets_.push_back(
        {packet.local, packet.remote, copy_of(BytesView(space_).first(packet.size)), packet.ecn});
  }
  [[nodiscard]] bool blocked() const override { return packets_.size() >= count_max; }
  [[nodiscard]] std::vector<Datagram> take() { return std::exchange(packets_, {}); }

  std::size_t count_max = std::size_t{1} << 20;

 private:
  std::array<std::byte, 2048> space_{};
  std::vector<Datagram> packets_;
};

// What sends and receives datagrams at an address, besides the server.
class Node {
 public:
  virtual ~Node() = default;
  virtual void handle(const quic::Datagram& datagram, Instant now) = 0;
  virtual void handle_timeout(Instant now) = 0;
  [[nodiscard]] virtual std::optional<Instant> next_timeout() const = 0;
  virtual void write(Packets& packets, Instant now) = 0;

  base::Address address;
  bool cut_off = false;  // whatever it sends or should receive vanishes
  bool asleep = false;   // what it should receive waits for it, and it does nothing
};

struct Seen {
  std::string channel;
  std::string publisher;
  std::uint64_t offset = 0;
  std::string text;
  Instant at = {};
};

// A program with a client: says what it wants and remembers what it was told.
class Client final : public Node, private ClientEvents {
 public:
  Client(const Limits& limits, std::string token, std::uint64_t seed, Instant now,
         bool takes_datagrams = true)
      : link_({.limits = limits, .token = std::move(token), .producer = producer_of(seed)},
              connection_config(limits, takes_datagrams), client_credentials(), "localhost", *this,
              seed, now) {}

  // Whatever does not fit into the outbox now is appended when it does.
  void publish(std::string_view name, std::string text,
               std::uint8_t priority = kPriorityDefault) {
    auto [publication, is_new] = publications_.try_emplace(std::string(name));
    if (is_new) {
      publication->second.id =
          link_.engine().publish(channel(name), {.mode = mode, .priority = priority});
    }
    publication->second.texts.push_back(std::move(text));
  }
  SubscriptionId subscribe(std::string_view pattern, StartPosition from = StartPosition::start()) {
    return link_.engine().subscribe(*ChannelPattern::parse(pattern), from);
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const Seen& one : seen) all.push_back(one.text);
    return all;
  }
  [[nodiscard]] bool settled() {
    return std::ranges::all_of(publications_,
                               [](const auto& one) { return one.second.texts.empty(); }) &&
           link_.engine().settled();
  }
  [[nodiscard]] ClientLink& link() { return link_; }
  [[nodiscard]] client::ClientEngine& engine() { return link_.engine(); }

  void handle(const quic::Datagram& datagram, Instant now) override {
    link_.handle_datagram(datagram, now);
  }
  void handle_timeout(Instant now) override { link_.handle_timeout(now); }
  [[nodiscard]] std::optional<Instant> next_timeout() const override {
    return link_.next_timeout();
  }
  void write(Packets& packets, Instant now) override {
    append_waiting();
    link_.drain(now);
    if (std::exchange(wants_connection_, false)) {
      ++connection_count;
      link_.connect(address, kServerAddress, now);
    }
    while (link_.write(packets, now)) {
    }
  }

  DeliveryMode mode = DeliveryMode::kReliable;  // of what it begins to publish
  std::vector<Seen> seen;
  std::vector<Seen> seen_direct;
  std::vector<client::Connected> connected;
  std::vector<client::Disconnected> disconnected;
  std::vector<client::Settled> fates;
  std::vector<client::Missed> missed;
  std::vector<std::size_t> seen_at_gap;  // how much it had seen then, for each of them
  std::vector<client::DirectMissed> missed_direct;
  std::vector<client::SubscriptionEnded> ended;
  std::vector<std::string> drained;
  std::size_t resets = 0;
  std::size_t seen_at_reset = 0;
  std::size_t connection_count = 0;
  std::size_t ready = 0;  // subscriptions that were confirmed
  std::size_t publishers_ended = 0;

 private:
  struct Waiting {
    PublicationId id;
    std::deque<std::string> texts;
  };

  static ProducerId producer_of(std::uint64_t seed) {
    ProducerId id;
    base::Prng(seed).fill(id.bytes);
    return id;
  }
  static quic::ConnectionConfig connection_config(const Limits& limits, bool takes_datagrams) {
    return {.stream_window = limits.stream_window,
            .stream_window_max = limits.stream_window_max,
            .connection_window = limits.connection_window,
            .uni_stream_count = limits.subscription_count_max + limits.passing_stream_count_max,
            .idle_timeout = 3 * limits.dead_after,
            .datagram_frame_size_max = takes_datagrams ? 65535U : 0U};
  }
  void append_waiting() {
    for (auto& [name, publication] : publications_) {
      session::Outbox& outbox = link_.engine().outbox(publication.id);
      bool any = false;
      while (!publication.texts.empty() &&
             outbox.append(MessageType::kRaw, bytes_of(publication.texts.front()))) {
        publication.texts.pop_front();
        any = true;
      }
      if (any) link_.engine().wake(publication.id);
    }
  }
  void on_event(client::EngineOutput& output, Instant now) override {
    if (const auto* delivered = std::get_if<client::Delivered>(&output)) {
      remember(*delivered, delivered->publisher, seen, now);
    } else if (const auto* direct = std::get_if<client::DeliveredDirect>(&output)) {
      remember(*direct, "", seen_direct, now);
    } else if (std::holds_alternative<client::ConnectWanted>(output)) {
      wants_connection_ = true;
    } else if (const auto* up = std::get_if<client::Connected>(&output)) {
      connected.push_back(*up);
    } else if (const auto* down = std::get_if<client::Disconnected>(&output)) {
      disconnected.push_back(*down);
    } else if (const auto* settled = std::get_if<client::Settled>(&output)) {
      fates.push_back(*settled);
    } else if (const auto* lost = std::get_if<client::DirectMissed>(&output)) {
      missed_direct.push_back(*lost);
    } else if (const auto* gap = std::get_if<client::Missed>(&output)) {
      missed.push_back(*gap);
      seen_at_gap.push_back(seen.size());
    } else if (const auto* end = std::get_if<client::SubscriptionEnded>(&output)) {
      ended.push_back(*end);
    } else if (const auto* draining = std::get_if<client::Draining>(&output)) {
      drained.push_back(draining->text);
    } else {
      if (std::holds_alternative<client::ChannelReset>(output)) {
        ++resets;
        seen_at_reset = seen.size();
      }
      ready += std::holds_alternative<client::SubscriptionReady>(output) ? 1U : 0U;
      publishers_ended += std::holds_alternative<client::PublicationEnded>(output) ? 1U : 0U;
    }
  }
  template <class Messages>
  static void remember(const Messages& messages, std::string_view publisher,
                       std::vector<Seen>& into, Instant at) {
    std::uint64_t offset = messages.first.value();
    for (const wire::MessageView message : wire::MessageRange(messages.frames)) {
      into.push_back({std::string(messages.channel), std::string(publisher), offset++,
                      std::string(text_of(message.payload)), at});
    }
    EXPECT_EQ(offset, messages.first.value() + messages.count);
  }

  ClientLink link_;
  std::map<std::string, Waiting> publications_;
  bool wants_connection_ = false;
};

// Speaks QUIC alone, and says on its streams whatever a test wants.
class Stranger final : public Node, private quic::StreamSink {
 public:
  Stranger(const base::Address& local, std::uint64_t seed, Instant now)
      : connection_(quic::Connection::connect({.uni_stream_count = 64}, client_credentials(), local,
                                              kServerAddress, "localhost", seed, now)) {}

  [[nodiscard]] std::optional<quic::StreamId> open(quic::StreamKind kind) {
    return connection_->open_stream(kind);
  }
  // Everything that is ever sent on a stream, at once or later.
  void send(quic::StreamId stream, BytesView bytes, quic::Fin fin = quic::Fin::kNo) {
    Outgoing& out = outgoing_[stream];
    out.chunks.push_back(copy_of(bytes));
    out.fin = fin;
  }
  void send_datagram(Bytes bytes) { datagrams_.push_back(std::move(bytes)); }
  [[nodiscard]] quic::Connection& connection() { return *connection_; }

  void handle(const quic::Datagram& datagram, Instant now) override {
    connection_->handle_datagram(datagram, now, *this);
    poll();
  }
  void handle_timeout(Instant now) override {
    connection_->handle_timeout(now);
    poll();
  }
  [[nodiscard]] std::optional<Instant> next_timeout() const override {
    return connection_->closed() ? std::nullopt : connection_->next_timeout();
  }
  void write(Packets& packets, Instant now) override {
    while (write_packet(packets, now)) {
    }
    connection_->burst_sent(now);
    poll();
  }

  std::map<quic::StreamId, std::string> received;
  std::optional<quic::Closed> closed;
  bool established = false;

 private:
  struct Outgoing {
    std::deque<Bytes> chunks;  // stay where they are: borrowed to the connection
    std::size_t next = 0;
    std::size_t sent = 0;  // of that chunk
    quic::Fin fin = quic::Fin::kNo;
    bool over = false;
  };

  void on_stream_bytes(quic::StreamId stream, BytesView bytes, quic::Fin) override {
    received[stream] += text_of(bytes);
  }
  void poll() {
    while (const auto event = connection_->poll()) {
      if (const auto* end = std::get_if<quic::Closed>(&*event)) closed = *end;
      established |= std::holds_alternative<quic::HandshakeCompleted>(*event);
    }
  }
  bool write_packet(Packets& packets, Instant now) {
    while (established && !datagrams_.empty()) {
      const BytesView bytes = datagrams_.front();
      const auto written =
          connection_->write_datagram_frame(packets.space(), 0, std::span(&bytes, 1), now);
      if (written.taken > 0) datagrams_.pop_front();
      if (written.status != quic::WriteStatus::kRoomLeft) return push(packets, written);
    }
    for (auto& [stream, out] : outgoing_) {
      while (!out.over && out.next < out.chunks.size()) {
        const BytesView rest = BytesView(out.chunks[out.next]).subspan(out.sent);
        const bool last = out.next + 1 == out.chunks.size();
        const quic::Fin fin = last ? out.fin : quic::Fin::kNo;
        const auto written =
            connection_->write(packets.space(), stream, std::span(&rest, 1), fin, now);
        out.sent += written.taken;
        if (written.taken == rest.size()) {
          ++out.next;
          out.sent = 0;
        }
        out.over = written.status == quic::WriteStatus::kStreamGone;
        if (written.status == quic::WriteStatus::kRoomLeft) continue;
        if (written.status == quic::WriteStatus::kStreamBlocked) break;
        if (written.status == quic::WriteStatus::kStreamGone) break;
        return push(packets, written);
      }
    }
    return push(packets, connection_->write(packets.space(), now));
  }
  static bool push(Packets& packets, const quic::Written& written) {
    if (written.packet.size == 0) return false;
    packets.push(written.packet);
    return written.status == quic::WriteStatus::kPacket;
  }

  std::unique_ptr<quic::Connection> connection_;
  std::map<quic::StreamId, Outgoing> outgoing_;
  std::deque<Bytes> datagrams_;
};

struct WorldConfig {
  Limits limits = {};
  ChannelConfig channel_default = {};
  std::vector<hub::ChannelRule> rules = {};
  Duration delay = 5ms;  // one way
  double loss = 0;
  std::uint64_t seed = 1;
  std::string application_protocol = "orzatty/1";  // the server's
  bool under_load = false;  // the server asks strangers to prove their address
  bool server_takes_datagrams = true;
  struct Bottleneck {  // either way
    double rate = 0;   // bytes per second; 0: there is none
    Duration queue = 20ms;
  };
  Bottleneck bottleneck = {};
};

// A token is "token-of-NAME" and gives the identity NAME; every other is refused.
inline constexpr std::string_view kTokenPrefix = "token-of-";
inline std::string token_of(std::string_view name) {
  return std::string(kTokenPrefix) + std::string(name);
}

class World final : private ServerEvents {
 public:
  explicit World(const WorldConfig& config = {})
      : loss(config.loss), config_(config), random_(config.seed) {
    start_server();
  }

  Client& client(std::string_view name) {
    return client_with_token(token_of(name), config_.limits);
  }
  // Of whose kind there should be none. spec: TRANSPORT-7
  Client& client_without_datagrams(std::string_view name) {
    return add(std::make_unique<Client>(config_.limits, token_of(name), random_.next(), now, false),
               next_address());
  }
  Client& client_with_token(std::string token, const Limits& limits) {
    return add(std::make_unique<Client>(limits, std::move(token), random_.next(), now),
               next_address());
  }
  Stranger& stranger() {
    const base::Address address = next_address();
    return add(std::make_unique<Stranger>(address, random_.next(), now), address);
  }
  // Messages to that channel come back to whoever sent them.
  void echo(std::string_view name) { server->hub().handle_channel(channel(name), 0); }
  // It comes back with nothing of what it had.
  void restart_server() { start_server(); }
  // From now on the world sees a node at another address, as behind a NAT that forgot it.
  void rebind(Node& node) {
    const base::Address before = outside(node);
    outside_[node.address] = next_address();
    retired_.push_back(before);
  }
  void move(Client& client) {
    retired_.push_back(client.address);
    client.address = next_address();
    client.link().migrate(client.address, now);
  }

  // The connection breaks at this moment: no packet of it reaches anybody any more.
  void drop_connection(Client& client) {
    if (!client.link().has_connection()) return;
    client.link().connect_failed("it broke", now);
    const base::Address before = outside(client);
    client.address = next_address();
    retired_.push_back(before);
  }
  // The client lets go of its connection and says nothing.
  void forget_connection(Client& client) {
    client.link().connect_failed("it broke", now);
  }

  bool run_until(const std::function<bool()>& done, Duration at_most = 60s) {
    const Instant end = now + at_most;
    pump();
    while (!done()) {
      const auto next = next_event();
      if (!next || *next > end) return false;
      step(*next);
    }
    return true;
  }
  void run_for(Duration duration) {
    const Instant end = now + duration;
    pump();
    for (auto next = next_event(); next && *next <= end; next = next_event()) step(*next);
    now = end;
  }

  Instant now = Instant(1s);
  double loss;
  std::function<bool(const Datagram&)> loses;  // besides, if there is one
  std::unique_ptr<ServerEngine> server;
  std::vector<std::string> joined;
  std::vector<hub::PeerDetached> detached;
  std::vector<hub::PeerResumed> resumed;
  std::vector<hub::PeerLeft> left;
  std::size_t datagrams_to_retired = 0;  // addresses that nobody has any more

 private:
  template <class Kind>
  Kind& add(std::unique_ptr<Kind> node, const base::Address& address) {
    Kind& added = *node;
    added.address = address;
    nodes_.push_back(std::move(node));
    return added;
  }
  base::Address next_address() {
    return *base::Address::parse("198.51.100.7:" + std::to_string(50'000 + address_count_++));
  }
  base::Address outside(const Node& node) const {
    const auto found = outside_.find(node.address);
    return found == outside_.end() ? node.address : found->second;
  }
  void start_server() {
    ServerEngineConfig config;
    config.endpoint.connection = {.stream_window = config_.limits.stream_window,
                                  .stream_window_max = config_.limits.stream_window_max,
                                  .connection_window = config_.limits.connection_window,
                                  .bidi_stream_count = 1,
                                  .uni_stream_count = 0,
                                  .idle_timeout = 3 * config_.limits.dead_after,
                                  .datagram_frame_size_max =
                                      config_.server_takes_datagrams ? 65535U : 0U,
                                  .application_protocol = config_.application_protocol};
    if (config_.under_load) config.endpoint.retry_above_half_open = 0;
    config.hub = {.limits = config_.limits,
                  .rules = config_.rules,
                  .channel_default = config_.channel_default};
    ServerEvents& events = *this;
    server =
        std::make_unique<ServerEngine>(config, server_credentials(), events, random_.next(), now);
  }
  void on_event(hub::HubOutput& output, Instant at) override {
    if (const auto* needed = std::get_if<hub::AuthenticationNeeded>(&output)) {
      authenticate(*needed, at);
    } else if (const auto* messages = std::get_if<hub::HandlerMessages>(&output)) {
      for (const wire::MessageView message : wire::MessageRange(messages->frames)) {
        EXPECT_EQ(server->hub().send_direct(messages->peer, channel(messages->channel),
                                            message.type, message.payload),
                  ErrorCode::kNone);
      }
    } else if (const auto* peer = std::get_if<hub::PeerJoined>(&output)) {
      joined.push_back(peer->identity);
    } else if (const auto* waits = std::get_if<hub::PeerDetached>(&output)) {
      detached.push_back(*waits);
    } else if (const auto* back = std::get_if<hub::PeerResumed>(&output)) {
      resumed.push_back(*back);
    } else if (const auto* gone = std::get_if<hub::PeerLeft>(&output)) {
      left.push_back(*gone);
    }
  }
  void authenticate(const hub::AuthenticationNeeded& needed, Instant at) {
    const std::string_view token = text_of(needed.hello.token);
    if (!token.starts_with(kTokenPrefix)) {
      return server->hub().refuse(needed.peer, ErrorCode::kAuthenticationFailed,
                                  "AUTHENTICATION_FAILED: the token is not known", at);
    }
    SessionId session;
    random_.fill(session.bytes);
    server->hub().admit(needed.peer, std::string(token.substr(kTokenPrefix.size())), session, at);
  }

  // All that can be sent now is on its way afterwards.
  void pump() {
    Packets packets;
    for (const auto& node : nodes_) {
      if (node->asleep) continue;
      node->write(packets, now);
      for (Datagram& datagram : packets.take()) {
        datagram.from = outside(*node);
        if (!node->cut_off) send(std::move(datagram));
      }
    }
    while (server->write(packets, now)) {
    }
    for (Datagram& datagram : packets.take()) send(std::move(datagram));
  }
  void send(Datagram datagram) {
    if (loses && loses(datagram)) return;
    if (random_.chance(loss)) return;
    Instant& free_at = datagram.from == kServerAddress ? down_free_at_ : up_free_at_;
    Instant leaves = now;
    if (config_.bottleneck.rate > 0) {
      leaves = std::max(now, free_at);
      if (leaves - now > config_.bottleneck.queue) return;  // it is full
      constexpr double kHeaders = 28;            // of IP and UDP
      const double seconds =
          (static_cast<double>(datagram.bytes.size()) + kHeaders) / config_.bottleneck.rate;
      leaves += std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
      free_at = leaves;
    }
    flying_.emplace(leaves + config_.delay, std::move(datagram));
  }
  [[nodiscard]] std::optional<Instant> next_event() const {
    std::optional<Instant> next = server->next_timeout();
    const auto earlier = [&](std::optional<Instant> at) {
      if (at && (!next || *at < *next)) next = at;
    };
    if (!flying_.empty()) earlier(flying_.begin()->first);
    for (const auto& node : nodes_) {
      if (!node->asleep) earlier(node->next_timeout());
    }
    return next;
  }
  void step(Instant at) {
    now = std::max(now, at);
    while (!flying_.empty() && flying_.begin()->first <= now) {
      const Datagram datagram = std::move(flying_.extract(flying_.begin()).mapped());
      deliver(datagram);
    }
    const auto due = server->next_timeout();
    if (due && *due <= now) server->handle_timeout(now);
    for (const auto& node : nodes_) {
      const auto timeout = node->asleep ? std::nullopt : node->next_timeout();
      if (timeout && *timeout <= now) node->handle_timeout(now);
    }
    pump();
  }
  void deliver(const Datagram& datagram) {
    if (datagram.to == kServerAddress) {
      Packets replies;
      server->handle_datagram({datagram.to, datagram.from, datagram.bytes, datagram.ecn}, replies,
                              now);
      for (Datagram& reply : replies.take()) send(std::move(reply));
      return;
    }
    for (const auto& node : nodes_) {
      if (outside(*node) != datagram.to) continue;
      if (node->cut_off) return;
      if (node->asleep) {
        flying_.emplace(now + 10ms, datagram);
      } else {
        node->handle({node->address, datagram.from, datagram.bytes, datagram.ecn}, now);
      }
      return;
    }
    datagrams_to_retired += std::ranges::count(retired_, datagram.to) > 0 ? 1U : 0U;
  }

  WorldConfig config_;
  base::Prng random_;
  Instant up_free_at_;    // the bottleneck, when all that waits at it has passed
  Instant down_free_at_;
  int address_count_ = 0;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<base::Address, base::Address> outside_;
  std::vector<base::Address> retired_;
  std::multimap<Instant, Datagram> flying_;
};

inline std::vector<std::string> numbered(std::string_view prefix, int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) texts.push_back(std::string(prefix) + std::to_string(i));
  return texts;
}

}  // namespace orzatty::link::test
