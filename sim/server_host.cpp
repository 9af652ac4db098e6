#include "sim/server_host.h"

#include <algorithm>

#include "sim/payload.h"
#include "sim/tls_identity.h"

namespace orzatty::sim {

namespace {

constexpr std::string_view kTokenPrefix = "token-of-";
constexpr std::string_view kThief = "thief";
// Somebody has to be asked who knows tokens.
constexpr Duration kRefusalTakes = std::chrono::milliseconds(20);
constexpr std::size_t kDirectSize = 100;

link::ServerEngineConfig engine_config(const ServerConfig& config) {
  link::ServerEngineConfig engine;
  engine.endpoint.connection = {.stream_window = config.limits.stream_window,
                                .stream_window_max = config.limits.stream_window_max,
                                .connection_window = config.limits.connection_window,
                                .bidi_stream_count = 1,
                                .uni_stream_count = 0,
                                .idle_timeout = 3 * config.limits.dead_after};
  engine.endpoint.secret.fill(std::byte{0x5a});  // outlives a restart, as stateless resets want it
  engine.hub = {
      .limits = config.limits, .rules = config.rules, .channel_default = config.channel_default};
  return engine;
}

}  // namespace

std::string token_of(std::string_view name) {
  return std::string(kTokenPrefix) + std::string(name);
}

const ChannelConfig& config_of(const ServerConfig& server, std::string_view channel) {
  const auto name = ChannelName::parse(channel);
  const auto rule = std::ranges::find_if(
      server.rules, [&](const hub::ChannelRule& item) { return item.pattern.matches(*name); });
  return rule == server.rules.end() ? server.channel_default : rule->config;
}

bool keeps_all(const ServerConfig& server, std::string_view channel) {
  const Retention& retention = config_of(server, channel).retention;
  if (config_of(server, channel).mode == DeliveryMode::kLatest) return false;
  return server.limits.channel_size_max >= Limits().channel_size_max && retention.bytes == 0 &&
         retention.count == 0 && retention.age == Duration::zero();
}

bool keeps_order(const ServerConfig& server, std::string_view channel) {
  return config_of(server, channel).mode != DeliveryMode::kUnordered;
}

void ServerHost::start(Instant now) {
  life_ = ServerLife(life_.value() + 1);
  link::ServerEvents& events = *this;
  engine_ =
      std::make_unique<link::ServerEngine>(engine_config(config_), server_credentials(), events,
                                           streams_.seed("server", life_.value()), now);
  chronicle_.handle(ServerRose{life_});
  if (direct_rounds_ < config_.direct_count) next_direct_ = now + config_.direct_every;
}

void ServerHost::kill() {
  engine_.reset();
  recipients_.clear();
  refusals_.clear();
  next_direct_.reset();
  held_max_ = 0;
  chronicle_.handle(ServerFell{life_});
}

void ServerHost::handle(const quic::Datagram& datagram, ServerLife /*life*/, link::PacketSink& sink,
                        Instant now) {
  if (!running()) return;
  engine_->handle_datagram(datagram, sink, now);
  measure();
}

void ServerHost::handle_timeout(Instant now) {
  if (!running()) return;
  engine_->handle_timeout(now);
  refuse_due(now);
  send_directs(now);
}

std::optional<Instant> ServerHost::next_timeout() const {
  if (!running()) return std::nullopt;
  std::optional<Instant> next = engine_->next_timeout();
  const auto earlier = [&](Instant at) { next = std::min(next.value_or(at), at); };
  if (next_direct_) earlier(*next_direct_);
  if (!refusals_.empty()) earlier(refusals_.front().at);
  return next;
}

void ServerHost::write(link::PacketSink& sink, Instant now) {
  if (!running()) return;
  while (engine_->write(sink, now)) {
  }
  measure();
}

void ServerHost::on_event(hub::HubOutput& output, Instant now) {
  if (const auto* needed = std::get_if<hub::AuthenticationNeeded>(&output)) {
    admit(*needed, now);
  } else if (std::holds_alternative<hub::SubscriberSlow>(output)) {
    ++slow_count;
  } else {
    on_session(output);
  }
}

void ServerHost::admit(const hub::AuthenticationNeeded& needed, Instant now) {
  const std::string_view token = orzatty::text_of(needed.hello.token);
  if (!token.starts_with(kTokenPrefix)) {
    refusals_.push_back({needed.peer, now + kRefusalTakes});
    return;
  }
  SessionId session;
  streams_.stream("session", (std::uint64_t{life_.value()} << 32) | session_count_++)
      .fill(session.bytes);
  engine_->hub().admit(needed.peer, identity_of(token.substr(kTokenPrefix.size())), session, now);
}

std::string ServerHost::identity_of(std::string_view name) {
  if (!name.starts_with(kThief)) return std::string(name);
  return std::string(name) + (++thief_count_ % 2 == 0 ? "'s other" : "'s one") + " name";
}

void ServerHost::refuse_due(Instant now) {
  while (!refusals_.empty() && refusals_.front().at <= now) {
    const hub::PeerKey peer = refusals_.front().peer;
    refusals_.erase(refusals_.begin());
    ++refused_count;
    engine_->hub().refuse(peer, ErrorCode::kAuthenticationFailed, "", now);
  }
}

void ServerHost::on_session(const hub::HubOutput& output) {
  if (const auto* joined = std::get_if<hub::PeerJoined>(&output)) {
    const SessionNumber session(++recipient_count_);
    recipients_[session] = {joined->peer, 0};
    chronicle_.handle(SessionBegan{session});
  } else if (const auto* away = std::get_if<hub::PeerDetached>(&output)) {
    const auto found = find(away->peer);
    if (found != recipients_.end()) chronicle_.handle(SessionAway{found->first});
  } else if (const auto* back = std::get_if<hub::PeerResumed>(&output)) {
    const auto found = find(back->was);
    if (found == recipients_.end()) return;
    found->second.peer = back->peer;
    chronicle_.handle(SessionBack{found->first});
  } else if (const auto* left = std::get_if<hub::PeerLeft>(&output)) {
    const auto found = find(left->peer);
    if (found == recipients_.end()) return;
    chronicle_.handle(SessionOver{found->first});
    recipients_.erase(found);
  }
}

std::map<SessionNumber, ServerHost::Recipient>::iterator ServerHost::find(hub::PeerKey peer) {
  return std::ranges::find_if(recipients_,
                              [&](const auto& item) { return item.second.peer == peer; });
}

void ServerHost::send_directs(Instant now) {
  if (!next_direct_ || *next_direct_ > now) return;
  const ChannelName channel = *ChannelName::parse("direct");
  for (auto& [session, recipient] : recipients_) {
    const Sequence sequence(recipient.sent);
    write_payload({ProgramId(session.value()), PublicationId(0), sequence}, kDirectSize, payload_);
    const ErrorCode code =
        engine_->hub().send_direct(recipient.peer, channel, MessageType::kRaw, payload_);
    if (code != ErrorCode::kNone) continue;
    ++recipient.sent;
    chronicle_.handle(DirectSent{session, sequence});
  }
  next_direct_.reset();
  if (++direct_rounds_ < config_.direct_count) next_direct_ = now + config_.direct_every;
}

void ServerHost::measure() {
  const std::uint64_t held = engine_->hub().held_bytes();
  if (held <= held_max_) return;
  held_max_ = held;
  chronicle_.handle(HubGrew{held});
}

std::vector<std::uint64_t> ServerHost::effects() const {
  if (!running()) return {};
  const hub::HubCounters& hub = engine_->hub().counters();
  return {hub.messages_in, hub.duplicates, hub.rejected,      hub.peers,
          hub.detached,    hub.resumed,    hub.subscriptions, hub.channels};
}

}  // namespace orzatty::sim
