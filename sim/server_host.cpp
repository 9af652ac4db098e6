#include "sim/server_host.h"

#include <algorithm>

#include "sim/tls_identity.h"

namespace orzatty::sim {

namespace {

constexpr std::string_view kTokenPrefix = "token-of-";

link::ServerEngineConfig engine_config(const ServerConfig& config) {
  link::ServerEngineConfig engine;
  engine.endpoint.connection = {.stream_window = config.limits.stream_window,
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
  return server.limits.channel_size_max >= Limits().channel_size_max && retention.bytes == 0 &&
         retention.count == 0 && retention.age == Duration::zero();
}

void ServerHost::start(Instant now) {
  life_ = ServerLife(life_.value() + 1);
  link::ServerEvents& events = *this;
  engine_ =
      std::make_unique<link::ServerEngine>(engine_config(config_), server_credentials(), events,
                                           streams_.seed("server", life_.value()), now);
  chronicle_.handle(ServerRose{life_});
}

void ServerHost::kill() {
  engine_.reset();
  chronicle_.handle(ServerFell{life_});
}

void ServerHost::handle(const quic::Datagram& datagram, ServerLife /*life*/, link::PacketSink& sink,
                        Instant now) {
  if (running()) engine_->handle_datagram(datagram, sink, now);
}

void ServerHost::handle_timeout(Instant now) {
  if (running()) engine_->handle_timeout(now);
}

std::optional<Instant> ServerHost::next_timeout() const {
  return running() ? engine_->next_timeout() : std::nullopt;
}

void ServerHost::write(link::PacketSink& sink, Instant now) {
  if (!running()) return;
  while (engine_->write(sink, now)) {
  }
}

void ServerHost::on_event(hub::HubOutput& output, Instant now) {
  if (const auto* needed = std::get_if<hub::AuthenticationNeeded>(&output)) {
    const std::string_view token = orzatty::text_of(needed->hello.token);
    if (!token.starts_with(kTokenPrefix)) {
      ++refused_count;
      return engine_->hub().refuse(needed->peer, ErrorCode::kAuthenticationFailed,
                                   "AUTHENTICATION_FAILED: the token is not known", now);
    }
    SessionId session;
    streams_.stream("session", (std::uint64_t{life_.value()} << 32) | session_count_++)
        .fill(session.bytes);
    engine_->hub().admit(needed->peer, std::string(token.substr(kTokenPrefix.size())), session,
                         now);
  } else if (std::holds_alternative<hub::SubscriberSlow>(output)) {
    ++slow_count;
  }
}

}  // namespace orzatty::sim
