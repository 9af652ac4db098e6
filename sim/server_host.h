// The server's machine: a whole ServerEngine, and the program around it that lets clients in.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "link/server_engine.h"
#include "sim/chronicle.h"
#include "sim/host.h"
#include "sim/streams.h"

namespace orzatty::sim {

// A token is "token-of-NAME" and gives the identity NAME; every other is refused, after a while. A
// thief's token stands for another identity each time, so that it comes back with an id of somebody
// else's session.
std::string token_of(std::string_view name);

struct ServerConfig {
  Limits limits;
  std::vector<hub::ChannelRule> rules;
  ChannelConfig channel_default;
  // To each client's session alone, so many messages; none with 0.
  std::uint64_t direct_count = 0;
  Duration direct_every = std::chrono::milliseconds(300);
};

const ChannelConfig& config_of(const ServerConfig& server, std::string_view channel);
// Whether the channel keeps everything that a run publishes.
bool keeps_all(const ServerConfig& server, std::string_view channel);
bool keeps_order(const ServerConfig& server, std::string_view channel);

class ServerHost final : public Host, private link::ServerEvents {
 public:
  ServerHost(ServerConfig config, Streams streams, Chronicle& chronicle)
      : config_(std::move(config)), streams_(streams), chronicle_(chronicle) {}

  void start(Instant now);
  // The process dies at once, and with it everything that it held.
  void kill();
  [[nodiscard]] bool running() const { return engine_ != nullptr; }
  [[nodiscard]] ServerLife life() const { return life_; }
  [[nodiscard]] link::ServerEngine& engine() { return *engine_; }
  [[nodiscard]] const ServerConfig& config() const { return config_; }

  void handle(const quic::Datagram& datagram, ServerLife life, link::PacketSink& sink,
              Instant now) override;
  void handle_timeout(Instant now) override;
  [[nodiscard]] std::optional<Instant> next_timeout() const override;
  void write(link::PacketSink& sink, Instant now) override;

  std::uint64_t slow_count = 0;     // subscribers that were told to be slow
  std::uint64_t refused_count = 0;  // wrong tokens

  // What would tell that somebody had an effect.
  [[nodiscard]] std::vector<std::uint64_t> effects() const;

 private:
  // A session, as the embedding program knows it.
  struct Recipient {
    hub::PeerKey peer;
    std::uint64_t sent = 0;
  };
  struct Refusal {
    hub::PeerKey peer;
    Instant at;
  };
  void admit(const hub::AuthenticationNeeded& needed, Instant now);
  [[nodiscard]] std::string identity_of(std::string_view name);
  void refuse_due(Instant now);
  void on_session(const hub::HubOutput& output);
  [[nodiscard]] std::map<SessionNumber, Recipient>::iterator find(hub::PeerKey peer);
  void send_directs(Instant now);
  void measure();
  void on_event(hub::HubOutput& output, Instant now) override;

  ServerConfig config_;
  Streams streams_;
  Chronicle& chronicle_;
  ServerLife life_;
  std::uint64_t session_count_ = 0;
  std::unique_ptr<link::ServerEngine> engine_;
  std::map<SessionNumber, Recipient> recipients_;
  std::vector<Refusal> refusals_;
  std::uint32_t recipient_count_ = 0;
  std::uint64_t thief_count_ = 0;
  std::uint64_t direct_rounds_ = 0;
  std::optional<Instant> next_direct_;
  std::uint64_t held_max_ = 0;
  Bytes payload_;  // reused
};

}  // namespace orzatty::sim
