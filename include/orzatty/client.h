// Client: publish, subscribe, and a session that comes back by itself.
//
//   auto client = orzatty::Client::connect("127.0.0.1:5000", {.token = "YOUR_TOKEN"});
//   client->send(1, "Hello Orzatty");
//
// Threads: a Client may be used from any thread; a Publisher from one at a time, and one per thread
// is the fast way. By default the sending thread runs the I/O when it has enough or flushes, and a
// backup thread takes care of idle time and timers; with Drive::kPoll there is no thread, and
// poll() does all. Handlers run in whichever thread runs the I/O at the moment, never two at once;
// in a handler use try_send(), as send() would wait for itself and answers kBusy. Handlers must not
// throw: the process would end.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orzatty/channel.h"
#include "orzatty/channel_ref.h"
#include "orzatty/error.h"
#include "orzatty/limits.h"
#include "orzatty/message.h"
#include "orzatty/request.h"
#include "orzatty/time.h"
#include "orzatty/tls.h"

namespace orzatty {

enum class Drive : std::uint8_t {
  kThreads,  // the sending thread, and a backup thread
  kPoll,     // the application calls poll(): games, busy-polling trading systems
};

enum class ConnectionState : std::uint8_t { kConnected, kReconnecting, kDraining, kClosed };

struct StateEvent {
  ConnectionState state;
  ErrorCode code = ErrorCode::kNone;
  std::string text;
  // Of kConnected: in the session of before. If it is not, and this is not the first time, what the
  // server had sent to this client alone and did not arrive is lost.
  bool resumed = false;
};

// Every member has a default, so that naming only some of them does not warn.
struct ClientOptions {
  std::string token = {};
  Trust trust = {};
  Drive drive = Drive::kThreads;
  Limits limits = {};
  Duration connect_timeout = std::chrono::seconds(10);
  // So long a thread asks for more before it sleeps: waking a core costs more than that. Zero where
  // there are more clients than cores for them.
  Duration spin = std::chrono::microseconds(30);
  std::string agent = "orzatty-cpp";
  std::function<void(const StateEvent&)> on_state = {};
};

// What became of one message.
struct DeliveryReport {
  Fate fate = Fate::kUnknown;
  Sequence sequence;
  // When accepted; none of a message that was sent again, and that the channel keeps no longer.
  std::optional<Offset> offset = {};
  ErrorCode code = ErrorCode::kNone;  // when rejected or expired
  std::string_view text;              // borrowed until the report returns
};
using ReportHandler = std::function<void(const DeliveryReport&)>;

struct SubscribeOptions {
  StartPosition from = StartPosition::live();
  std::function<void(std::string_view channel, const Gap&)> on_gap = {};
  // The channel's log began anew (the server restarted): positions start again.
  std::function<void(std::string_view channel)> on_reset = {};
  // The server ended it; kNone after unsubscribe().
  std::function<void(const Error&)> on_end = {};
};

struct ClientStats {
  // = accepted + rejected + expired + superseded + handed_to_network + unknown + waiting
  std::uint64_t sent = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t expired = 0;  // never sent: their time to live was over
  std::uint64_t superseded = 0;  // never sent: a newer value of their key was there
  std::uint64_t handed_to_network = 0;  // datagrams
  std::uint64_t unknown = 0;
  std::uint64_t waiting = 0;
  std::uint64_t delivered = 0;
  std::uint64_t missed = 0;     // positions told as gaps
  std::array<std::uint64_t, kGapReasonCount> missed_by{};  // the same, by GapReason
  std::uint64_t direct_missed = 0;  // direct messages that a session lost, as far as it knows
  std::uint64_t unhandled = 0;  // direct messages without on(), and replies not waited for
  std::uint64_t reconnects = 0;
  std::uint64_t resumed = 0;  // of them, in the session of before
  Duration round_trip{};
};

struct PublisherOptions {
  // The channel's, or kReliable. Another one is rejected with MODE_UNSUPPORTED.
  DeliveryMode mode = DeliveryMode::kReliable;
  // Of its messages on their way to the server, against this client's other publishers; at most
  // kPriorityMax. What the server sends is its channel's configuration to say.
  std::uint8_t priority = kPriorityDefault;
  // A name makes the producer outlive this process: the server knows what it has had of it, within
  // this identity, and takes each sequence once. The application stores `next_sequence`, or begins a
  // newer epoch, which starts at any sequence and shuts the older ones out: what they still send is
  // rejected with FENCED, and an older one that comes later ends its client with that code.
  std::string producer = {};
  std::uint64_t epoch = 0;
  Sequence next_sequence = Sequence(0);
};

// The id of a producer of that name.
ProducerId named_producer(std::string_view name);

// What a server knows of messages [from, to) of a producer.
struct KnownFate {
  enum class Kind : std::uint8_t {
    kAccepted,
    kRejected,   // never stored
    kUnknown,    // it never came there, or nothing of its producer is left
    kForgotten,  // it had a fate, which the server remembers no longer
  };
  Kind kind = Kind::kUnknown;
  Sequence from;
  Sequence to;
  Offset first_offset;                // when accepted
  ErrorCode code = ErrorCode::kNone;  // when rejected, if that is still known
};
std::string_view name(KnownFate::Kind kind);

struct FateQuestion {
  ProducerId producer = {};
  std::uint64_t epoch = 0;
  Sequence from = Sequence(0);
  std::uint64_t count = 1;
};

class ClientRuntime;
class PublisherState;

// One writer to one channel. Sequences are its own. Of use while its client lives. Destroyed, it ends
// by itself: what was sent goes on to its fate, which is reported, as long as its client is open.
class Publisher {
 public:
  Publisher(Publisher&& other) noexcept;
  Publisher& operator=(Publisher&& other) noexcept;
  ~Publisher();

  // Waits for room. Errors: kTooLarge, kClosed, kBusy (in a handler).
  std::expected<void, Error> send(const Payload& payload);
  std::expected<void, Error> send(const Payload& payload, ReportHandler report);
  // Never waits: kBusy when there is no room; on_ready() tells when to try again.
  std::expected<void, Error> try_send(const Payload& payload);
  std::expected<void, Error> try_send(const Payload& payload, ReportHandler report);
  // Called once there is room again after a kBusy, from the thread that runs the I/O. One that began
  // in another thread may still be running when the publisher is destroyed.
  void on_ready(std::function<void()> ready);
  // Sends what was appended, now.
  void flush();
  [[nodiscard]] Sequence next_sequence() const;
  [[nodiscard]] ProducerId producer() const;

 private:
  friend class Client;
  Publisher(const std::shared_ptr<ClientRuntime>& runtime, PublisherState& state);
  std::weak_ptr<ClientRuntime> owner_;
  ClientRuntime* runtime_;
  PublisherState* state_;
};

// Ends the subscription when it is destroyed. It may outlive its client.
class Subscription {
 public:
  Subscription(Subscription&& other) noexcept;
  Subscription& operator=(Subscription&& other) noexcept;
  ~Subscription();
  void unsubscribe();
  // Goes on without this object, until the client ends.
  void detach() { runtime_.reset(); }

 private:
  friend class Client;
  Subscription(std::weak_ptr<ClientRuntime> runtime, std::uint64_t id)
      : runtime_(std::move(runtime)), id_(id) {}
  std::weak_ptr<ClientRuntime> runtime_;
  std::uint64_t id_;
};

using SubscriptionHandler = std::function<void(const Message&)>;

class Client {
 public:
  // Returns when the session is open, or with the reason why not: kUnreachable, kRefused.
  static std::expected<Client, Error> connect(std::string_view address, ClientOptions options);
  Client(Client&& other) noexcept;
  Client& operator=(Client&& other) noexcept;
  // As close() with no patience: what is not accepted yet has an unknown fate. No handler runs
  // afterwards, so it must not be destroyed in one.
  ~Client();

  // At most publication_count_max at once: with that many it waits for one that was destroyed, which
  // has its place until all that it sent has its fate. Errors: kArgument, kClosed.
  [[nodiscard]] std::expected<Publisher, Error> publisher(const ChannelRef& channel,
                                                          PublisherOptions options = {});
  // The convenience over publisher(): one shared writer per channel, with a lock. try_send() never
  // waits: kBusy also while another thread sends to that channel.
  std::expected<void, Error> send(const ChannelRef& channel, const Payload& payload);
  std::expected<void, Error> try_send(const ChannelRef& channel, const Payload& payload);

  // Returns when the server has confirmed it (in a handler at once). `pattern` may have wildcards.
  [[nodiscard]] std::expected<Subscription, Error> subscribe(const ChannelRef& pattern,
                                                             SubscriptionHandler handler,
                                                             SubscribeOptions options = {});
  // Messages that the server sends to this session alone (Peer::send).
  std::expected<void, Error> on(const ChannelRef& channel, SubscriptionHandler handler);

  // Sends a message that wants a reply, and waits for it. Errors: those of ReplyHandler, at once those
  // of Publisher::send(), and kBusy in a handler or when request_count_max replies are waited for.
  // The request has a fate like any message; its time to live is `timeout`.
  std::expected<Reply, Error> request(const ChannelRef& channel, const Payload& payload,
                                      Duration timeout = std::chrono::seconds(5));
  // The same without waiting.
  std::expected<PendingRequest, Error> request(const ChannelRef& channel, const Payload& payload,
                                               ReplyHandler handler,
                                               Duration timeout = std::chrono::seconds(5));
  // Answers requests, by a subscription: messages that want no reply are passed over. Of several
  // clients that answer the first counts.
  [[nodiscard]] std::expected<Subscription, Error> reply(const ChannelRef& pattern,
                                                         RequestHandler handler,
                                                         SubscribeOptions options = {});

  // What became of messages of a producer of this identity, of this process or another one. The runs
  // are in order; a very long answer may stop short of the range.
  std::expected<std::vector<KnownFate>, Error> fate(const ChannelRef& channel,
                                                    const FateQuestion& question,
                                                    Duration timeout = std::chrono::seconds(5));

  // With Drive::kPoll: all that can be done now, then waits for more at most `wait`. True when
  // something happened.
  bool poll(Duration wait = Duration::zero());
  void flush();
  // Waits until every message sent before has its fate. False when `timeout` came first.
  bool settle(Duration timeout);
  // The network changed (the platform said so): goes on at once from a new socket, with the same
  // session and all that is on its way. A client finds it out by itself too, after a second without
  // an answer. Not more often than a few times a second: a connection has few spare ids, and
  // without one the client comes back by a new connection. Errors: kIo when there is no socket to
  // be had.
  std::expected<void, Error> rebind();
  // A round trip through the server's session layer.
  std::expected<Duration, Error> ping(Duration timeout = std::chrono::seconds(5));
  // Settles for at most `patience`, then ends the session. kTimeout tells how many messages have no
  // known fate.
  std::expected<void, Error> close(Duration patience = std::chrono::seconds(5));

  [[nodiscard]] ClientStats stats() const;
  [[nodiscard]] std::string identity() const;

 private:
  explicit Client(std::shared_ptr<ClientRuntime> runtime);
  std::shared_ptr<ClientRuntime>
      runtime_;  // shared with subscriptions, which look whether it lives
};

}  // namespace orzatty
