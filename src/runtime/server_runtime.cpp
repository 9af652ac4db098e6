#include "runtime/server_runtime.h"

#include <algorithm>

#include "base/limits_table.h"
#include "base/utf8.h"
#include "net/clock.h"
#include "net/entropy.h"
#include "net/resolver.h"
#include "quic/credentials.h"
#include "wire/message.h"

namespace orzatty {

namespace {

constexpr std::uint64_t kWakeupToken = ~std::uint64_t{0};

link::ServerEngineConfig engine_config(const ServerOptions& options) {
  link::ServerEngineConfig config;
  config.endpoint.connection.stream_window = options.limits.stream_window;
  config.endpoint.connection.connection_window = options.limits.connection_window;
  config.endpoint.connection.bidi_stream_count = 1;  // spec: TRANSPORT-4
  config.endpoint.connection.uni_stream_count = 0;
  config.endpoint.connection.handshake_timeout = options.limits.handshake_timeout;
  config.endpoint.connection.idle_timeout = 3 * options.limits.dead_after;
  config.endpoint.connection_count_max = options.limits.connection_count_max;
  config.endpoint.half_open_count_max = options.limits.half_open_count_max;
  net::entropy(config.endpoint.secret);
  config.hub.limits = options.limits;
  config.hub.channel_default = options.channel_default;
  for (const ChannelRule& rule : options.channels) {
    config.hub.rules.push_back({rule.pattern, rule.config});
  }
  return config;
}

// "a:1,b:2" as addresses to bind.
std::expected<std::vector<base::Address>, Error> resolve_all(std::string_view list) {
  std::vector<base::Address> found;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    auto resolved = net::resolve(list.substr(0, comma));
    if (!resolved) return std::unexpected(resolved.error());
    found.insert(found.end(), resolved->begin(), resolved->end());
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  if (found.empty()) return std::unexpected(Error{ErrorKind::kArgument, {}, "no address to bind"});
  return found;
}

}  // namespace

ServerRuntime::ServerRuntime(ServerOptions options, const link::ServerEngineConfig& config,
                             std::shared_ptr<const quic::ServerCredentials> credentials,
                             net::Poller poller, std::unique_ptr<net::Wakeup> wakeup)
    : options_(std::move(options)),
      engine_(config, std::move(credentials), *this, net::entropy_seed(), net::now()),
      poller_(std::move(poller)),
      wakeup_(std::move(wakeup)) {}

std::expected<std::unique_ptr<ServerRuntime>, Error> ServerRuntime::bind(std::string_view addresses,
                                                                         ServerOptions options) {
  if (auto problem = base::problem_of(options.limits)) {
    return std::unexpected(Error{ErrorKind::kArgument, ErrorCode::kNone, "limits: " + *problem});
  }
  auto credentials = quic::ServerCredentials::from_pem(options.certificate.chain_pem,
                                                       options.certificate.key_pem);
  if (!credentials) return std::unexpected(credentials.error());
  auto resolved = resolve_all(addresses);
  if (!resolved) return std::unexpected(resolved.error());
  auto poller = net::Poller::open();
  if (!poller) return std::unexpected(poller.error());
  auto wakeup = net::Wakeup::open();
  if (!wakeup) return std::unexpected(wakeup.error());

  const link::ServerEngineConfig config = engine_config(options);
  auto runtime = std::unique_ptr<ServerRuntime>(new ServerRuntime(
      std::move(options), config, std::move(*credentials), std::move(*poller), std::move(*wakeup)));
  std::uint16_t port = 0;
  for (base::Address address : *resolved) {
    // All families of one name get the same port, also when it is chosen by the system.
    if (address.port == 0) address.port = port;
    auto socket = net::UdpSocket::bind(address, {});
    if (!socket) return std::unexpected(socket.error());
    port = socket->local_address().port;
    runtime->addresses_.push_back(socket->local_address().text());
    const auto token = static_cast<std::uint64_t>(runtime->sink_.size());
    auto added = runtime->poller_.add(socket->fd(), token, net::Interest::kRead);
    if (!added) return std::unexpected(added.error());
    runtime->sink_.add(std::move(*socket));
  }
  auto added = runtime->poller_.add(runtime->wakeup_->fd(), kWakeupToken, net::Interest::kRead);
  if (!added) return std::unexpected(added.error());
  return runtime;
}

std::expected<void, Error> ServerRuntime::on(const ChannelRef& channel, MessageHandler handler) {
  const auto name = ChannelName::parse(channel.text());
  if (!name) {
    return std::unexpected(Error{ErrorKind::kArgument, ErrorCode::kNameInvalid,
                                 "not a channel name: " + std::string(channel.text())});
  }
  engine_.hub().handle_channel(*name, handlers_.size());
  handlers_.push_back(std::move(handler));
  return {};
}

std::expected<void, Error> ServerRuntime::run() {
  thread_.store(std::this_thread::get_id());
  active_at_ = net::now();
  while (!stopping_.load(std::memory_order_relaxed)) {
    const Instant now = net::now();
    if (turn(now)) {
      active_at_ = now;
    } else if (!options_.busy_poll && now - active_at_ > kSpin) {
      sleep(now);
    }
  }
  drain();
  thread_.store({});
  return {};
}

// All that there is to do now; false when there was nothing.
bool ServerRuntime::turn(Instant now) {
  turn_at_ = now;
  bool active = receive(now);
  active |= publish_queued(now);
  const auto due = engine_.next_timeout();
  if (due && *due <= now) engine_.handle_timeout(now);
  active |= engine_.write(sink_, now);
  sink_.flush();
  publish_stats(now, Urgency::kWhenDue);
  return active && !sink_.blocked();
}

bool ServerRuntime::receive(Instant now) {
  bool any = false;
  for (std::size_t i = 0; i < sink_.size(); ++i) {
    for (const net::Received& received : received_.receive(sink_.socket(i), 8)) {
      any = true;
      BytesView rest = received.bytes;
      while (!rest.empty()) {
        const std::size_t size = std::min(rest.size(), received.segment_size);
        engine_.handle_datagram({received.local, received.remote, rest.first(size), received.ecn},
                                sink_, now);
        rest = rest.subspan(size);
      }
    }
  }
  return any;
}

void ServerRuntime::sleep(Instant now) {
  publish_stats(now, Urgency::kNow);  // whoever reads them meanwhile sees the last of it
  wakeup_->begin_sleep();
  if (!stopping_.load() && !has_queued_.load()) {
    if (sink_.blocked()) {
      for (std::size_t i = 0; i < sink_.size(); ++i) {
        poller_.change(sink_.socket(i).fd(), i, net::Interest::kReadWrite);
      }
    }
    static_cast<void>(poller_.wait(engine_.next_timeout()));
    if (sink_.blocked()) {
      for (std::size_t i = 0; i < sink_.size(); ++i) {
        poller_.change(sink_.socket(i).fd(), i, net::Interest::kRead);
      }
      sink_.unblock();
    }
  }
  wakeup_->end_sleep();
}

void ServerRuntime::on_event(hub::HubOutput& output, Instant now) {
  if (const auto* messages = std::get_if<hub::HandlerMessages>(&output)) {
    call_handler(*messages);
  } else if (const auto* needed = std::get_if<hub::AuthenticationNeeded>(&output)) {
    authenticate(*needed, now);
  } else if (const auto* joined = std::get_if<hub::PeerJoined>(&output)) {
    tell(ServerEvent::Kind::kPeerJoined, joined->identity, "");
  } else if (const auto* left = std::get_if<hub::PeerLeft>(&output)) {
    tell(ServerEvent::Kind::kPeerLeft, left->identity, name(left->code));
  } else if (const auto* slow = std::get_if<hub::SubscriberSlow>(&output)) {
    tell(ServerEvent::Kind::kSubscriberSlow, slow->identity, slow->channel);
  }
}

// spec: SESSION-5
void ServerRuntime::authenticate(const hub::AuthenticationNeeded& needed, Instant now) {
  std::optional<std::string> identity;
  if (options_.authenticate) identity = options_.authenticate(needed.hello.token);
  if (!identity || identity->empty()) {
    tell(ServerEvent::Kind::kPeerRefused, "", "unknown token");
    return engine_.hub().refuse(needed.peer, ErrorCode::kAuthenticationFailed,
                                "AUTHENTICATION_FAILED: the token is not known", now);
  }
  SessionId session;
  net::entropy(session.bytes);
  engine_.hub().admit(needed.peer, std::move(*identity), session, now);
}

void ServerRuntime::call_handler(const hub::HandlerMessages& messages) {
  Peer peer(*this, (std::uint64_t{messages.peer.generation} << 32) | messages.peer.slot,
            messages.publisher);
  const MessageHandler& handler = handlers_[messages.handler];
  Offset offset(messages.first.value());
  for (const wire::MessageView message : wire::MessageRange(messages.frames)) {
    handler(peer, Message(message.type, message.payload, messages.channel, messages.publisher,
                          offset));
    offset += 1;
  }
}

void ServerRuntime::tell(ServerEvent::Kind kind, std::string_view identity, std::string_view text) {
  if (options_.on_event) options_.on_event({kind, std::string(identity), std::string(text)});
}

std::expected<void, Error> ServerRuntime::send_direct(hub::PeerKey peer, const ChannelRef& channel,
                                                      const Payload& payload) {
  const auto name_parsed = ChannelName::parse(channel.text());
  if (!name_parsed) {
    return std::unexpected(Error{ErrorKind::kArgument, ErrorCode::kNameInvalid,
                                 "not a channel name: " + std::string(channel.text())});
  }
  const ErrorCode code =
      engine_.hub().send_direct(peer, *name_parsed, payload.type(), payload.bytes());
  if (code == ErrorCode::kNone) return {};
  const ErrorKind kind =
      code == ErrorCode::kMessageTooLarge ? ErrorKind::kTooLarge : ErrorKind::kBusy;
  return std::unexpected(Error{kind, code, std::string(advice(code))});
}

void ServerRuntime::close_peer(hub::PeerKey peer, std::string_view reason) {
  engine_.hub().close_peer(peer, ErrorCode::kClosedByUser, reason, turn_at_);
}

std::expected<void, Error> ServerRuntime::publish(const ChannelRef& channel,
                                                  const Payload& payload) {
  auto name_parsed = ChannelName::parse(channel.text());
  if (!name_parsed) {
    return std::unexpected(Error{ErrorKind::kArgument, ErrorCode::kNameInvalid,
                                 "not a channel name: " + std::string(channel.text())});
  }
  if (payload.bytes().size() > options_.limits.message_size_max) {
    return std::unexpected(
        Error{ErrorKind::kTooLarge, ErrorCode::kMessageTooLarge,
              "message of " + std::to_string(payload.bytes().size()) +
                  " bytes is above message_size_max = " +
                  std::to_string(options_.limits.message_size_max)});
  }
  if (payload.type() == MessageType::kText && !base::is_utf8(payload.bytes())) {
    return std::unexpected(Error{ErrorKind::kArgument, ErrorCode::kTextInvalid,
                                 "not UTF-8: publish these bytes without stating text"});
  }
  const std::lock_guard lock(queue_mutex_);
  if (publishing_size_.load() + payload.bytes().size() > kPublishQueueMax) {
    return std::unexpected(Error{ErrorKind::kBusy, ErrorCode::kOverloaded,
                                 "the server has too much to publish; try again"});
  }
  publishing_size_.fetch_add(payload.bytes().size(), std::memory_order_relaxed);
  queue_.push_back({std::move(*name_parsed), payload.type(), copy_of(payload.bytes())});
  has_queued_.store(true);
  wakeup_->wake();
  return {};
}

// In order, and as far as there is room: what a full channel cannot take now waits for its slowest
// subscriber, whose acknowledgements bring the next turn.
bool ServerRuntime::publish_queued(Instant now) {
  if (has_queued_.load(std::memory_order_acquire)) {
    const std::lock_guard lock(queue_mutex_);
    for (Queued& item : queue_) publishing_.push_back(std::move(item));
    queue_.clear();
    has_queued_.store(false);
  }
  bool any = false;
  while (!publishing_.empty()) {
    const Queued& item = publishing_.front();
    const ErrorCode code = engine_.hub().publish(item.channel, item.type, item.payload, now);
    if (code == ErrorCode::kOverloaded) break;
    if (code != ErrorCode::kNone) {
      tell(ServerEvent::Kind::kPublishRejected, item.channel.text(), name(code));
    }
    publishing_size_.fetch_sub(item.payload.size(), std::memory_order_relaxed);
    publishing_.pop_front();
    any = true;
  }
  if (any) engine_.drain_hub(now);
  return any;
}

void ServerRuntime::stop() noexcept {
  stopping_.store(true);
  wakeup_->wake();
}

// Nothing is queued or in flight for anybody.
bool ServerRuntime::quiet() { return !engine_.busy(); }

// spec: SESSION-10
void ServerRuntime::drain() {
  const Instant deadline = net::now() + options_.limits.drain_timeout;
  engine_.start_draining(options_.limits.drain_timeout, "the server is stopping");
  // Packets that were on their way when we stopped still count: one round of delayed ACKs.
  const Duration settle = 4 * options_.limits.ack_delay;
  Instant last_activity = net::now();
  for (Instant now = last_activity; now < deadline; now = net::now()) {
    if (turn(now) || !quiet()) last_activity = now;
    if (engine_.connection_count() == 0 || now - last_activity > settle) break;
    static_cast<void>(poller_.wait(std::min(now + options_.limits.ack_delay, deadline)));
    sink_.unblock();
  }
  engine_.close_all(ErrorCode::kDraining, "DRAINING: the server is stopping", net::now());
  static_cast<void>(engine_.write(sink_, net::now()));
  sink_.flush();
}

void ServerRuntime::publish_stats(Instant now, Urgency urgency) {
  if (urgency == Urgency::kWhenDue && now - stats_at_ < kStatsEvery) return;
  stats_at_ = now;
  const hub::HubCounters& counters = engine_.hub().counters();
  const std::lock_guard lock(stats_mutex_);
  stats_ = {.connections = engine_.connection_count(),
            .peers = counters.peers,
            .channels = counters.channels,
            .subscriptions = counters.subscriptions,
            .messages_in = counters.messages_in,
            .bytes_in = counters.bytes_in,
            .messages_out = counters.messages_out,
            .bytes_out = counters.bytes_out,
            .duplicates = counters.duplicates,
            .rejected = counters.rejected,
            .missed = counters.missed,
            .datagrams_ignored = engine_.endpoint().counters().ignored};
}

ServerStats ServerRuntime::stats() const {
  const std::lock_guard lock(stats_mutex_);
  return stats_;
}

}  // namespace orzatty
