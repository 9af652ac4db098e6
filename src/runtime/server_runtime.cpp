#include "runtime/server_runtime.h"

#include <algorithm>

#include "base/limits_table.h"
#include "base/utf8.h"
#include "net/clock.h"
#include "net/entropy.h"
#include "net/resolver.h"
#include "quic/credentials.h"
#include "quic/digest.h"
#include "runtime/identity.h"
#include "runtime/outgoing.h"
#include "runtime/packet_protection.h"
#include "runtime/stream_window.h"
#include "wire/direct.h"
#include "wire/message.h"

namespace orzatty {

namespace {

constexpr std::uint64_t kWakeupToken = ~std::uint64_t{0};

// Whatever its size, 32 bytes.
std::array<std::byte, 32> endpoint_secret(const std::string& secret) {
  std::array<std::byte, 32> drawn{};
  net::entropy(drawn);
  if (secret.empty()) return drawn;
  quic::Digest digest;
  digest.add(bytes_of(secret));
  return digest.value();
}

link::ServerEngineConfig engine_config(const ServerOptions& options) {
  link::ServerEngineConfig config;
  config.endpoint.connection.stream_window = runtime::stream_window(options.limits);
  config.endpoint.connection.stream_window_max = options.limits.stream_window_max;
  config.endpoint.connection.connection_window = options.limits.connection_window;
  config.endpoint.connection.bidi_stream_count = 1;  // spec: TRANSPORT-4
  config.endpoint.connection.uni_stream_count = 0;
  config.endpoint.connection.handshake_timeout = options.limits.handshake_timeout;
  config.endpoint.connection.idle_timeout = 3 * options.limits.dead_after;
  config.endpoint.connection.packet_protection = runtime::packet_protection();
  config.endpoint.connection_count_max = options.limits.connection_count_max;
  config.endpoint.half_open_count_max = options.limits.half_open_count_max;
  config.endpoint.secret = endpoint_secret(options.secret);
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

Error name_error(std::string_view text) {
  return {ErrorKind::kArgument, ErrorCode::kNameInvalid,
          "not a channel name: " + std::string(text)};
}

// Why a message of that size was not taken.
Error send_error(ErrorCode code, std::size_t size, const Limits& limits) {
  switch (code) {
    case ErrorCode::kMessageTooLarge:
      return {ErrorKind::kTooLarge, code,
              "message of " + std::to_string(size) +
                  " bytes is above message_size_max = " + std::to_string(limits.message_size_max)};
    case ErrorCode::kTextInvalid:
      return {ErrorKind::kArgument, code, "not UTF-8: send these bytes without stating text"};
    case ErrorCode::kChannelLimit:
      return {ErrorKind::kArgument, code,
              "one peer may be sent to on subscription_count_max = " +
                  std::to_string(limits.subscription_count_max) + " channels"};
    case ErrorCode::kClosedByUser:
      return {ErrorKind::kClosed, code, "the peer has left"};
    case ErrorCode::kOverloaded:
      return {ErrorKind::kBusy, code, "the peer does not read as fast as it is sent to; try later"};
    default:
      return {ErrorKind::kBusy, code, std::string(advice(code))};
  }
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
  if (!options.secret.empty() && options.secret.size() < ServerOptions::kSecretSizeMin) {
    return std::unexpected(
        Error{ErrorKind::kArgument, ErrorCode::kNone,
              "a secret has at least " + std::to_string(ServerOptions::kSecretSizeMin) + " bytes"});
  }
  auto credentials =
      quic::ServerCredentials::from_pem(options.certificate.chain_pem, options.certificate.key_pem);
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
  runtime->publish_stats(net::now(), Urgency::kNow);  // for whoever asks before it runs
  return runtime;
}

std::expected<void, Error> ServerRuntime::on(const ChannelRef& channel, MessageHandler handler) {
  const auto name = ChannelName::parse(channel.text());
  if (!name) return std::unexpected(name_error(channel.text()));
  engine_.hub().handle_channel(*name, handlers_.size());
  handlers_.push_back(std::move(handler));
  return {};
}

std::expected<void, Error> ServerRuntime::run() {
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
  return {};
}

// All that there is to do now; false when there was nothing.
bool ServerRuntime::turn(Instant now) {
  turn_at_ = now;
  bool active = receive(now);
  const auto due = engine_.next_timeout();
  const bool timed_out = due && *due <= now;
  if (timed_out) engine_.handle_timeout(now);
  // Subscribers read on, or went away.
  if (active || timed_out) outbox_.retry();
  active |= publish_waiting(now);
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
  if (!stopping_.load() && !outbox_.has_new()) wait(engine_.next_timeout());
  wakeup_->end_sleep();
}

// For packets, for room in sockets that were full, or to be woken.
void ServerRuntime::wait(std::optional<Instant> until) {
  const bool blocked = sink_.blocked();
  const auto look_for = [&](net::Interest interest) {
    for (std::size_t i = 0; i < sink_.size(); ++i) {
      poller_.change(sink_.socket(i).fd(), i, interest);
    }
  };
  if (blocked) look_for(net::Interest::kReadWrite);
  static_cast<void>(poller_.wait(until));
  if (!blocked) return;
  look_for(net::Interest::kRead);
  sink_.unblock();
}

void ServerRuntime::on_event(hub::HubOutput& output, Instant now) noexcept {
  if (const auto* messages = std::get_if<hub::HandlerMessages>(&output)) {
    call_handler(*messages);
  } else if (const auto* needed = std::get_if<hub::AuthenticationNeeded>(&output)) {
    authenticate(*needed, now);
  } else if (const auto* joined = std::get_if<hub::PeerJoined>(&output)) {
    tell(ServerEvent::Kind::kPeerJoined, joined->identity, "");
  } else if (const auto* waits = std::get_if<hub::PeerDetached>(&output)) {
    tell(ServerEvent::Kind::kPeerDetached, waits->identity, name(waits->code));
  } else if (const auto* resumed = std::get_if<hub::PeerResumed>(&output)) {
    tell(ServerEvent::Kind::kPeerResumed, resumed->identity, "");
  } else if (const auto* left = std::get_if<hub::PeerLeft>(&output)) {
    tell(ServerEvent::Kind::kPeerLeft, left->identity, name(left->code));
  } else if (const auto* slow = std::get_if<hub::SubscriberSlow>(&output)) {
    tell(ServerEvent::Kind::kSubscriberSlow, slow->identity, slow->channel);
  }
}

// spec: SESSION-5
void ServerRuntime::authenticate(const hub::AuthenticationNeeded& needed, Instant now) noexcept {
  std::optional<std::string> identity;
  if (options_.authenticate) identity = options_.authenticate(needed.hello.token);
  if (!identity || identity->empty()) {
    tell(ServerEvent::Kind::kPeerRefused, "", "unknown token");
    return engine_.hub().refuse(needed.peer, ErrorCode::kAuthenticationFailed,
                                "AUTHENTICATION_FAILED: the token is not known", now);
  }
  if (auto problem = runtime::problem_of_identity(*identity)) {
    tell(ServerEvent::Kind::kPeerRefused, "",
         "the authenticator gave an identity that " + *problem);
    return engine_.hub().refuse(needed.peer, ErrorCode::kInternal,
                                "INTERNAL: the server cannot name this peer", now);
  }
  SessionId session;
  net::entropy(session.bytes);
  engine_.hub().admit(needed.peer, std::move(*identity), session, now);
}

void ServerRuntime::call_handler(const hub::HandlerMessages& messages) noexcept {
  Peer peer(*this, (std::uint64_t{messages.peer.generation} << 32) | messages.peer.slot,
            messages.publisher);
  const MessageHandler& handler = handlers_[messages.handler];
  Offset offset(messages.first.value());
  for (const wire::MessageView message : wire::MessageRange(messages.frames)) {
    handler(peer, Message(message.type, message.payload, messages.channel, messages.publisher,
                          offset, message.attribute_block()));
    offset += 1;
  }
}

void ServerRuntime::tell(ServerEvent::Kind kind, std::string_view identity,
                         std::string_view text) noexcept {
  if (options_.on_event) options_.on_event({kind, std::string(identity), std::string(text)});
}

std::expected<void, Error> ServerRuntime::send_direct(hub::PeerKey peer, const ChannelRef& channel,
                                                      const Payload& payload) {
  const auto name_parsed = ChannelName::parse(channel.text());
  if (!name_parsed) return std::unexpected(name_error(channel.text()));
  const MessageAttributes attributes = payload.attributes().value_or(MessageAttributes{});
  if (auto fault = runtime::fault_of(attributes)) return std::unexpected(std::move(*fault));
  const ErrorCode code =
      engine_.hub().send_direct(peer, *name_parsed, payload.type(), payload.bytes(), attributes);
  if (code == ErrorCode::kNone) return {};
  return std::unexpected(send_error(code, payload.bytes().size(), options_.limits));
}

// spec: REQUEST-5
std::expected<void, Error> ServerRuntime::reply(hub::PeerKey peer, const Message& request,
                                                const Payload& payload) {
  const MessageAttributes asked = request.attributes();
  if (!asked.wants_reply || !asked.correlation) {
    return std::unexpected(Error{ErrorKind::kArgument, ErrorCode::kNotAwaited,
                                 "nobody waits for a reply to that message"});
  }
  MessageAttributes attributes = payload.attributes().value_or(MessageAttributes{});
  if (auto fault = runtime::fault_of(attributes)) return std::unexpected(std::move(*fault));
  attributes.correlation = asked.correlation;
  attributes.wants_reply = false;
  attributes.sender = "$server";
  const ErrorCode code = engine_.hub().send_direct(peer, *ChannelName::parse(wire::kReplyChannel),
                                                   payload.type(), payload.bytes(), attributes);
  if (code == ErrorCode::kNone) return {};
  return std::unexpected(send_error(code, payload.bytes().size(), options_.limits));
}

void ServerRuntime::close_peer(hub::PeerKey peer, std::string_view reason) {
  engine_.hub().close_peer(peer, ErrorCode::kClosedByUser, reason, turn_at_);
}

std::expected<void, Error> ServerRuntime::publish(const ChannelRef& channel,
                                                  const Payload& payload) {
  using Pushed = runtime::ServerOutbox::Pushed;
  auto name_parsed = ChannelName::parse(channel.text());
  if (!name_parsed) return std::unexpected(name_error(channel.text()));
  MessageAttributes attributes = payload.attributes().value_or(MessageAttributes{});
  if (auto fault = runtime::fault_of(attributes)) return std::unexpected(std::move(*fault));
  if (runtime::body_size(payload) > options_.limits.message_size_max) {
    return std::unexpected(
        send_error(ErrorCode::kMessageTooLarge, payload.bytes().size(), options_.limits));
  }
  if (payload.type() == MessageType::kText && !base::is_utf8(payload.bytes())) {
    return std::unexpected(
        send_error(ErrorCode::kTextInvalid, payload.bytes().size(), options_.limits));
  }
  Bytes key = copy_of(attributes.key);
  attributes.key = key;
  switch (outbox_.push({std::move(*name_parsed), payload.type(), copy_of(payload.bytes()),
                        attributes, std::move(key)})) {
    case Pushed::kQueued:
      break;
    case Pushed::kFull:
      return std::unexpected(Error{ErrorKind::kBusy, ErrorCode::kOverloaded,
                                   "the server has too much to publish; try again"});
    case Pushed::kClosed:
      return std::unexpected(
          Error{ErrorKind::kClosed, ErrorCode::kDraining, "the server has stopped"});
  }
  wakeup_->wake();
  return {};
}

bool ServerRuntime::publish_waiting(Instant now) {
  if (outbox_.empty()) return false;
  const bool has_new = outbox_.has_new();
  const bool more = outbox_.store([&](const runtime::ServerOutbox::Item& item) {
    const ErrorCode code =
        engine_.hub().publish(item.channel, item.type, item.payload, now, item.attributes);
    if (code != ErrorCode::kNone && code != ErrorCode::kOverloaded) {
      tell(ServerEvent::Kind::kPublishRejected, item.channel.text(), name(code));
    }
    return code;
  });
  engine_.drain_hub(now);
  return more || has_new;
}

void ServerRuntime::stop() noexcept {
  stopping_.store(true);
  wakeup_->wake();
}

// spec: SESSION-10
void ServerRuntime::drain() {
  const Instant deadline = net::now() + options_.limits.drain_timeout;
  outbox_.close();
  engine_.start_draining(options_.limits.drain_timeout, "the server is stopping");
  // Packets that were on their way when we stopped still count: one round of delayed ACKs.
  const Duration settle = 4 * options_.limits.ack_delay;
  Instant last_activity = net::now();
  for (Instant now = last_activity; now < deadline; now = net::now()) {
    const bool active = turn(now);
    if (active || engine_.busy() || !outbox_.empty()) last_activity = now;
    if (engine_.connection_count() == 0 && outbox_.empty()) break;
    if (now - last_activity > settle) break;
    if (!active) wait(std::min(now + options_.limits.ack_delay, deadline));
  }
  tell_what_is_left();
  say_goodbye();
}

void ServerRuntime::tell_what_is_left() {
  for (const hub::PeerKey peer : engine_.unsettled_peers()) {
    tell(ServerEvent::Kind::kPeerLeftBehind, engine_.hub().identity(peer),
         "not all that was accepted reached it in time");
  }
  for (const std::string& identity : engine_.hub().waited_for()) {
    tell(ServerEvent::Kind::kPeerLeftBehind, identity, "its connection was gone");
  }
  for (const auto& [channel, count] : outbox_.waiting()) {
    tell(ServerEvent::Kind::kPublishRejected, channel.text(),
         "DRAINING: " + std::to_string(count) + " messages waited for room");
  }
}

// Whoever has no room for what was said before is waited for a moment longer.
void ServerRuntime::say_goodbye() {
  const Instant begin = net::now();
  const Instant deadline = begin + link::ServerEngine::kGoodbyeMax;
  engine_.close_all(ErrorCode::kDraining, "DRAINING: the server is stopping", begin);
  for (Instant now = begin;; now = net::now()) {
    const bool active = turn(now);
    if (now >= deadline || (!engine_.closing() && !sink_.blocked())) return;
    if (!active) wait(std::min(now + options_.limits.ack_delay, deadline));
  }
}

void ServerRuntime::publish_stats(Instant now, Urgency urgency) {
  if (urgency == Urgency::kWhenDue && now - stats_at_ < kStatsEvery) return;
  stats_at_ = now;
  const hub::HubCounters& counters = engine_.hub().counters();
  const quic::EndpointCounters& door = engine_.endpoint().counters();
  const std::lock_guard lock(stats_mutex_);
  std::vector<ChannelTraffic> traffic = std::move(stats_.traffic);  // for its memory
  traffic = counters.traffic;
  stats_ = {.connections = engine_.connection_count(),
            .peers = counters.peers,
            .detached = counters.detached,
            .resumed = counters.resumed,
            .channels = counters.channels,
            .subscriptions = counters.subscriptions,
            .messages_in = counters.messages_in,
            .bytes_in = counters.bytes_in,
            .messages_out = counters.messages_out,
            .bytes_out = counters.bytes_out,
            .duplicates = counters.duplicates,
            .rejected = counters.rejected,
            .handed_over = counters.handed_over,
            .missed = counters.missed,
            .datagrams_dropped = counters.datagrams_dropped,
            .datagrams_lost = counters.datagrams_lost,
            .datagrams_ignored = door.ignored,
            .connections_accepted = door.accepted,
            .connections_refused = door.refused,
            .stateless_replies = door.replies,
            .held_bytes = engine_.hub().held_bytes(),
            .rejected_by = counters.rejected_by,
            .skipped_by = counters.skipped_by,
            .traffic = std::move(traffic)};
}

ServerStats ServerRuntime::stats() const {
  const std::lock_guard lock(stats_mutex_);
  return stats_;
}

}  // namespace orzatty
