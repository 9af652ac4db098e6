// The client without I/O: what a program published and subscribed to, over any number of connections.
//
// Outboxes and positions live here and outlive a connection: after a reconnect publishers send again
// what was not acknowledged (the hub takes each sequence once), subscriptions go on at the next
// offset. The contract is that of the session: after each handle_*() call poll() until it is empty.
// One thread at a time, but for the writers' side of an Outbox.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/limits.h"
#include "orzatty/message.h"
#include "session/client_session.h"
#include "session/outbox.h"
#include "session/transport.h"

namespace orzatty::client {

struct EngineConfig {
  Limits limits;
  std::string token;
  std::string agent = "orzatty-cpp";
  ProducerId producer;  // 128 random bits; each publication derives its own from it
};

// A producer that outlives the client: the application says who it is and how far it came.
struct NamedProducer {
  ProducerId id;
  ProducerEpoch epoch;
  Sequence next;
};

struct PublicationOptions {
  DeliveryMode mode = DeliveryMode::kReliable;
  std::uint8_t priority = kPriorityDefault;
};

// What the engine asks of, or tells, whoever runs it.
struct ConnectWanted {};  // open a transport now, then call transport_up() or transport_failed()
// `resumed`: in the session of before; else, if it is `again`, what the server had sent to it alone and
// did not arrive is lost.
struct Connected { std::string identity; bool again = false; bool resumed = false; };
// The session cannot go on; with `retrying` the engine asks for a new transport when it is time.
struct Disconnected { ErrorCode code = ErrorCode::kNone; std::string text; bool retrying = false; };
struct Draining { std::string text; };  // the server is going away
struct Delivered {  // borrowed until the next poll(); credit returns with it
  SubscriptionId subscription;
  std::string_view channel;
  std::string_view publisher;
  Offset first;
  std::uint64_t count = 0;
  BytesView frames;  // whole and validated (wire::MessageRange)
};
struct DeliveredDirect { std::string_view channel; Offset first; std::uint64_t count = 0; BytesView frames; };
// Messages [from, to) that were sent to this session alone and will not come any more.
struct DirectMissed { std::string channel; Sequence from; Sequence to; };
struct Missed { SubscriptionId subscription; std::string channel; Gap gap; };
// The channel began a new life (the server lost its log): positions start again.
struct ChannelReset { SubscriptionId subscription; std::string channel; };
// What is published from now on reaches it, or a gap or reset tells, over any number of connections.
struct SubscriptionReady { SubscriptionId subscription; };
struct SubscriptionEnded { SubscriptionId subscription; ErrorCode code; std::string text; };
// The fate of sequences [from, to) of a publication, in order, each sequence once.
struct Settled {
  PublicationId publication;
  Sequence from;
  Sequence to;
  Fate fate = Fate::kAccepted;
  // Of `from`, when accepted; none when it was there before, and is kept no longer.
  std::optional<Offset> first_offset;
  ErrorCode code = ErrorCode::kNone;
  std::string text;     // why, when rejected
};
// A publication that was retired, and its outbox, are gone; `count` messages were appended.
struct PublicationEnded { PublicationId publication; std::uint64_t count = 0; };
// The answer to ask(): dense and in order from the first sequence on.
struct FatesTold { std::uint64_t question = 0; std::vector<wire::FateRun> runs; };
// No reply will come to a request that was waited for.
struct RequestFailed {
  enum class Why : std::uint8_t {
    kTimeout,
    kRejected,  // the request was refused
    kLost,      // the session ended, or began anew
  };
  CorrelationId id;
  Why why = Why::kTimeout;
  ErrorCode code = ErrorCode::kNone;  // of the refusal, or by which the session ended
};
struct TransportClosed { ErrorCode code = ErrorCode::kNone; std::string text; };  // close it so
using EngineOutput = std::variant<ConnectWanted, Connected, Disconnected, Draining, Delivered,
                                  DeliveredDirect, DirectMissed, Missed, ChannelReset, SubscriptionReady,
                                  SubscriptionEnded, Settled, PublicationEnded, FatesTold, RequestFailed,
                                  TransportClosed>;

// A message that is a request, and until when its reply is waited for.
struct AwaitedReply {
  CorrelationId id;  // 128 random bits, drawn by whoever asks
  PublicationId publication;
  Sequence sequence;
  Instant until;
};

class ClientEngine {
 public:
  ClientEngine(EngineConfig config, std::uint64_t seed, Instant now);
  ~ClientEngine();
  ClientEngine(const ClientEngine&) = delete;
  ClientEngine& operator=(const ClientEngine&) = delete;

  // The transport.
  void transport_up(Instant now);  // its handshake is complete; HELLO is queued
  // It could not be had, or is gone. `refused`: asking again would give the same answer.
  void transport_lost(ErrorCode code, std::string_view text, bool refused, Instant now);
  void handle_control(BytesView bytes, session::Fin fin, Instant now);
  void handle_stream(session::RemoteStream stream, BytesView bytes, session::Fin fin, Instant now);
  void handle_stream_reset(session::RemoteStream stream, Instant now);
  void handle_datagram(BytesView bytes, Instant now);
  void handle_timeout(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;
  [[nodiscard]] std::optional<EngineOutput> poll(Instant now);

  // The application. An outbox is written by one thread at a time and stays valid until its
  // publication ended, which it does some time after it was retired: once all that was appended has
  // its fate. wake() tells the engine that something was appended.
  [[nodiscard]] PublicationId publish(const ChannelName& channel,
                                      const PublicationOptions& options = {},
                                      const NamedProducer* named = nullptr);
  void retire(PublicationId publication);
  [[nodiscard]] session::Outbox& outbox(PublicationId publication);
  [[nodiscard]] const ProducerId& producer(PublicationId publication);
  void wake(PublicationId publication);
  // Something was appended since the last flush(), which finds it by itself: a hint while others
  // append, and with a barrier on their threads before, the truth.
  [[nodiscard]] bool has_news() const;
  [[nodiscard]] bool has_any_news();
  [[nodiscard]] SubscriptionId subscribe(const ChannelPattern& pattern, const StartPosition& start);
  void unsubscribe(SubscriptionId subscription);
  // No more retries; ends the session once all that was appended is settled, or at once.
  enum class Ending : std::uint8_t { kWhenSettled, kNow };
  void close(Ending ending, Instant now);
  [[nodiscard]] bool settled();  // nothing waits for its fate
  // What became of messages of a producer of this identity, this client's or not: FatesTold follows,
  // on whatever connection, unless nobody wants it any more.
  std::uint64_t ask(wire::Fate question);
  void forget_question(std::uint64_t question);
  // Before the request is appended to its outbox: take_reply() or RequestFailed ends it, unless
  // cancel() does. False when too many are waited for.
  [[nodiscard]] bool await_reply(const AwaitedReply& request);
  // The outbox did not take it.
  void withdraw(const CorrelationId& request);
  // A message of DeliveredDirect on `$reply` has this id. False when nobody waits for it.
  [[nodiscard]] bool take_reply(const CorrelationId& id);
  void cancel(const CorrelationId& request);
  // Sends a PING and gives its number; pongs() is the number of the last one that was answered, or
  // of those that a broken connection made pointless.
  std::uint64_t ping();
  [[nodiscard]] std::uint64_t pongs() const;

  // The transport's driver; only while a transport is up.
  [[nodiscard]] bool has_transport() const;
  [[nodiscard]] session::SendTable& sends();
  [[nodiscard]] session::Refill& source();
  [[nodiscard]] std::vector<session::Credit>& credits();
  void flush(Instant now);
  void acked(session::StreamKey stream, std::uint64_t size, Duration smoothed_rtt, Instant now);
  void datagram_acked(session::DatagramTag tag, Duration smoothed_rtt, Instant now);
  void stream_closed(session::StreamKey stream);

  [[nodiscard]] bool connected() const;  // welcomed
  // The smaller of both sides', by the last WELCOME.
  [[nodiscard]] std::uint32_t message_size_max() const;
  // Whoever publishes more keeps them waiting for the end of others. spec: STREAM-9
  [[nodiscard]] std::uint32_t publication_count_max() const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace orzatty::client
