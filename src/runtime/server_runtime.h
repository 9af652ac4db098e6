// The thread of a server: sockets around a ServerEngine, handlers around its events. No decisions
// about messages, which are the hub's. One thread, but for what says otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "link/server_engine.h"
#include "net/poller.h"
#include "net/receive_batch.h"
#include "net/wakeup.h"
#include "orzatty/server.h"
#include "runtime/batch_sink.h"
#include "runtime/server_outbox.h"

namespace orzatty {

class ServerRuntime final : private link::ServerEvents {
 public:
  static std::expected<std::unique_ptr<ServerRuntime>, Error> bind(std::string_view addresses,
                                                                   ServerOptions options);
  ~ServerRuntime() = default;

  std::expected<void, Error> on(const ChannelRef& channel, MessageHandler handler);
  std::expected<void, Error> run();
  // Any thread.
  std::expected<void, Error> publish(const ChannelRef& channel, const Payload& payload);
  void stop() noexcept;  // also from a signal handler
  [[nodiscard]] std::vector<std::string> addresses() const { return addresses_; }
  [[nodiscard]] ServerStats stats() const;

  // For Peer, in a handler.
  std::expected<void, Error> reply(hub::PeerKey peer, const Message& request,
                                   const Payload& payload);
  std::expected<void, Error> send_direct(hub::PeerKey peer, const ChannelRef& channel,
                                         const Payload& payload);
  void close_peer(hub::PeerKey peer, std::string_view reason);

 private:
  // How long an idle server keeps asking before it sleeps: waking a core costs more than this.
  static constexpr Duration kSpin = std::chrono::microseconds(30);
  static constexpr Duration kStatsEvery = std::chrono::milliseconds(50);

  ServerRuntime(ServerOptions options, const link::ServerEngineConfig& config,
                std::shared_ptr<const quic::ServerCredentials> credentials, net::Poller poller,
                std::unique_ptr<net::Wakeup> wakeup);

  // What the application gave is called here, in the middle of the engine's work: nothing may be
  // thrown through it.
  void on_event(hub::HubOutput& output, Instant now) noexcept override;
  void authenticate(const hub::AuthenticationNeeded& needed, Instant now) noexcept;
  void call_handler(const hub::HandlerMessages& messages) noexcept;
  void tell(ServerEvent::Kind kind, std::string_view identity, std::string_view text) noexcept;

  [[nodiscard]] bool turn(Instant now);
  [[nodiscard]] bool receive(Instant now);
  [[nodiscard]] bool publish_waiting(Instant now);
  void sleep(Instant now);
  void wait(std::optional<Instant> until);
  void drain();
  void tell_what_is_left();
  void say_goodbye();
  enum class Urgency : std::uint8_t { kWhenDue, kNow };
  void publish_stats(Instant now, Urgency urgency);

  ServerOptions options_;
  link::ServerEngine engine_;
  runtime::BatchSink sink_;
  net::ReceiveBatch received_;
  net::Poller poller_;
  std::unique_ptr<net::Wakeup> wakeup_;
  std::vector<MessageHandler> handlers_;
  std::vector<std::string> addresses_;
  Instant turn_at_;
  Instant active_at_;
  std::atomic<bool> stopping_{false};
  runtime::ServerOutbox outbox_;

  mutable std::mutex stats_mutex_;
  ServerStats stats_;
  Instant stats_at_;
};

}  // namespace orzatty
