// Server: an embeddable hub. Bind it, say what happens with messages, run it.
//
//   auto server = orzatty::Server::bind("127.0.0.1:5000", {.certificate = certificate,
//                                       .authenticate = orzatty::tokens({"YOUR_TOKEN"})});
//   server->on(1, [](orzatty::Peer& peer, const auto& m) { peer.send(1, m.payload()); });
//   server->run();
//
// Threads: run() occupies its thread and calls all handlers there; a handler that takes long delays
// everybody. publish() and stop() may be called from any thread, stop() also from a signal handler.
//
// Handlers, `authenticate` and `on_event` must not throw: they are called in the middle of the
// server's work, so the process ends with std::terminate() if they do.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orzatty/channel.h"
#include "orzatty/channel_ref.h"
#include "orzatty/channel_traffic.h"
#include "orzatty/error.h"
#include "orzatty/limits.h"
#include "orzatty/message.h"
#include "orzatty/tls.h"

namespace orzatty {

// Gives the identity that a token belongs to, or nothing. Called in the server's thread.
using Authenticator = std::function<std::optional<std::string>(BytesView token)>;

struct NamedToken {
  std::string identity;
  std::string token;
};
// Compared in constant time. Those without a name get the identities "token-1", "token-2", ...
Authenticator tokens(std::vector<std::string> tokens);
Authenticator named_tokens(std::vector<NamedToken> tokens);

struct ChannelRule {
  ChannelPattern pattern;
  ChannelConfig config;
};

// What a server has to tell besides messages; for logs.
struct ServerEvent {
  enum class Kind : std::uint8_t {
    kPeerJoined,
    kPeerDetached,  // its connection died; its session waits, and kPeerResumed or kPeerLeft follows
    kPeerResumed,
    kPeerLeft,
    kPeerRefused,
    kSubscriberSlow,
    kPublishRejected,  // a publish() for which no channel could be made, or no room until the stop
    kPeerLeftBehind,   // the server stopped before the peer had all that was for it
  };
  Kind kind;
  std::string identity;  // of kPublishRejected the channel
  std::string text;      // the reason, or the channel
};

struct ServerOptions {
  Certificate certificate = {};
  Authenticator authenticate = {};         // without one everybody is refused
  std::vector<ChannelRule> channels = {};  // the first whose pattern matches counts
  ChannelConfig channel_default = {};
  Limits limits = {};
  // At least kSecretSizeMin bytes that nobody can guess, the same from run to run: by it a server
  // that was started again tells clients of the one before at once that their connections are gone,
  // which they would otherwise find out by silence. Of one running server at a time: of two, each
  // could be made to end connections of the other. Drawn anew when it is empty.
  static constexpr std::size_t kSecretSizeMin = 32;
  std::string secret = {};
  bool busy_poll = false;  // burns its core for a few microseconds less
  std::function<void(const ServerEvent&)> on_event = {};
};

// A connected peer, as a handler sees it. Valid until the handler returns.
class Peer {
 public:
  // Into the peer's own direct log of that channel: to this session alone, without history. Fails
  // with
  //   kBusy      its log is full, as the peer does not read: send later, or not at all;
  //   kClosed    the peer has left, or was closed;
  //   kTooLarge  above message_size_max;
  //   kArgument  by its code: NAME_INVALID, TEXT_INVALID, or CHANNEL_LIMIT for one channel more
  //              than one peer may be sent to (subscription_count_max).
  std::expected<void, Error> send(const ChannelRef& channel, const Payload& payload);
  // The reply to a request that this peer sent, to be read by whoever waits for it there. Fails as
  // send() does, and with kArgument when the message is no request.
  std::expected<void, Error> reply(const Message& request, const Payload& payload);
  void close(std::string_view reason);
  [[nodiscard]] std::string_view identity() const { return identity_; }

 private:
  friend class ServerRuntime;
  Peer(class ServerRuntime& runtime, std::uint64_t key, std::string_view identity)
      : runtime_(runtime), key_(key), identity_(identity) {}
  ServerRuntime& runtime_;
  std::uint64_t key_;
  std::string_view identity_;
};

using MessageHandler = std::function<void(Peer&, const Message&)>;

struct ServerStats {
  std::uint64_t connections = 0;
  std::uint64_t peers = 0;     // authenticated
  std::uint64_t detached = 0;  // sessions without a connection, that may come back
  std::uint64_t resumed = 0;   // times that one did
  std::uint64_t channels = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t messages_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t rejected = 0;
  std::uint64_t handed_over = 0;  // to handlers, and replies to who waits for them
  std::uint64_t missed = 0;  // positions that subscribers were told as gaps
  std::uint64_t datagrams_dropped = 0;  // of mode datagram, that came late or found no room
  std::uint64_t datagrams_lost = 0;     // of that mode, on their way to subscribers
  std::uint64_t datagrams_ignored = 0;  // of UDP, that were no connection's
  std::uint64_t connections_accepted = 0;  // begun; who got through tells on_event
  std::uint64_t connections_refused = 0;   // above connection_count_max or half_open_count_max
  std::uint64_t stateless_replies = 0;     // Version Negotiation, Retry, stateless reset, refusal
  std::uint64_t held_bytes = 0;            // by channels; at most hub_size_max
  std::array<std::uint64_t, kErrorCodeEnd> rejected_by{};   // the same as `rejected`, by ErrorCode
  std::array<std::uint64_t, kGapReasonCount> skipped_by{};  // that publishers let go of unsent
  // By number of the rule in ServerOptions::channels; the last one is of all other channels.
  std::vector<ChannelTraffic> traffic = {};
};

class Server {
 public:
  // `addresses` is "HOST:PORT", or several separated by commas; port 0 takes a free one.
  // "localhost" binds both 127.0.0.1 and ::1.
  static std::expected<Server, Error> bind(std::string_view addresses, ServerOptions options);
  Server(Server&& other) noexcept;
  Server& operator=(Server&& other) noexcept;
  ~Server();

  // Messages to that channel are given to the handler instead of the hub: an endpoint. A message is
  // accepted when its handler returned. Before run() only.
  std::expected<void, Error> on(const ChannelRef& channel, MessageHandler handler);
  // Into a hub channel, with the identity "$server". It is queued, and waits there while the
  // channel is full, without holding up other channels. kBusy when 64 MiB wait already, kClosed
  // once the server stops.
  std::expected<void, Error> publish(const ChannelRef& channel, const Payload& payload);

  // Serves until stop(): then tells all peers, waits for at most limits.drain_timeout until they
  // have all that was accepted, and returns. Who did not get it is told by kPeerLeftBehind.
  std::expected<void, Error> run();
  void stop() noexcept;

  [[nodiscard]] std::vector<std::string> addresses() const;
  [[nodiscard]] ServerStats stats() const;

 private:
  explicit Server(std::unique_ptr<class ServerRuntime> runtime);
  std::unique_ptr<ServerRuntime> runtime_;
};

}  // namespace orzatty
