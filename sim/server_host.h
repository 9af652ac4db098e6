// The server's machine: a whole ServerEngine, and the program around it that lets clients in.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "link/server_engine.h"
#include "sim/chronicle.h"
#include "sim/host.h"
#include "sim/streams.h"

namespace orzatty::sim {

// A token is "token-of-NAME" and gives the identity NAME; every other is refused.
std::string token_of(std::string_view name);

struct ServerConfig {
  Limits limits;
  std::vector<hub::ChannelRule> rules;
  ChannelConfig channel_default;
};

const ChannelConfig& config_of(const ServerConfig& server, std::string_view channel);
// Whether the channel keeps everything that a run publishes.
bool keeps_all(const ServerConfig& server, std::string_view channel);

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

 private:
  void on_event(hub::HubOutput& output, Instant now) override;

  ServerConfig config_;
  Streams streams_;
  Chronicle& chronicle_;
  ServerLife life_;
  std::uint64_t session_count_ = 0;
  std::unique_ptr<link::ServerEngine> engine_;
};

}  // namespace orzatty::sim
