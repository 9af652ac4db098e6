// The client's side of one session, for as long as one connection: says what the server brought, as
// values, and carries what the client asks for. What outlives a connection (outboxes, positions) is
// the client layer's.
//
// The contract: after each handle_*() call poll() until it is empty, before the bytes that were given
// become invalid; outputs borrow from them. One thread.
#pragma once

#include <expected>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "session/consumed_collector.h"
#include "session/session_core.h"
#include "wire/ack.h"
#include "wire/alias.h"
#include "wire/cancel.h"
#include "wire/datagram.h"
#include "wire/drain.h"
#include "wire/ended.h"
#include "wire/fate.h"
#include "wire/gap_mark.h"
#include "wire/hello.h"
#include "wire/producer.h"
#include "wire/publish.h"
#include "wire/reject.h"
#include "wire/subscribe.h"
#include "wire/subscribed.h"
#include "wire/welcome.h"

namespace orzatty::session {

struct Welcomed { wire::Welcome welcome; };
struct AckReceived { const wire::Ack* ack; };  // borrowed until the next poll()
struct RejectReceived { wire::Reject reject; };
struct SubscribedReceived { SubscriptionId subscription; std::uint64_t channel_count = 0; };
struct EndedReceived { wire::Ended ended; };
struct DrainReceived { wire::Drain drain; };
struct FateReceived { wire::Fate fate; };
// What a passing stream introduces: where its messages stand, and whose they are.
struct PassingStream {
  SubscriptionId subscription;
  std::optional<wire::Alias> alias;
  std::optional<std::string> publisher;
};
struct ChannelIntroduced { SubscriptionId subscription; wire::Alias alias; };
struct ProducerIntroduced { SubscriptionId subscription; wire::Producer producer; };
struct DeliveryMessages {
  RemoteStream stream;  // whose credit consumed() returns
  SubscriptionId subscription;
  ChannelAlias channel;
  ProducerAlias producer;
  Offset first;
  std::uint64_t count = 0;
  std::uint32_t nonce = 0;
  BytesView frames;  // whole and validated; borrowed from what was given to handle_stream()
  // Of a channel that keeps no order; borrowed until the next poll().
  const PassingStream* passing = nullptr;
};
struct DeliveryGap {
  SubscriptionId subscription;
  ChannelAlias channel;
  Gap gap;
  const PassingStream* passing = nullptr;
};
// What a datagram brought.
struct DeliveryDatagram { wire::DeliverDatagram datagram; };
struct DirectMessages {
  RemoteStream stream;
  std::string_view channel;  // borrowed until the stream ends
  Sequence first;
  std::uint64_t count = 0;
  BytesView frames;
};

using ClientOutput =
    std::variant<Welcomed, AckReceived, RejectReceived, SubscribedReceived, EndedReceived,
                 DrainReceived, FateReceived, ChannelIntroduced, ProducerIntroduced,
                 DeliveryMessages, DeliveryDatagram, DeliveryGap, DirectMessages, SessionEnded,
                 CloseTransport>;

class ClientSession {
 public:
  // Says HELLO by itself.
  ClientSession(const Limits& limits, const wire::Hello& hello, std::uint64_t seed, Instant now);

  void handle_control(BytesView bytes, Fin fin, Instant now);
  void handle_stream(RemoteStream stream, BytesView bytes, Fin fin, Instant now);
  void handle_stream_reset(RemoteStream stream) { core_.reset_stream(stream); }
  void handle_datagram(BytesView bytes, Instant now);
  void handle_timeout(Instant now);
  [[nodiscard]] std::optional<ClientOutput> poll(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  [[nodiscard]] bool open() const { return open_ && !core_.closed(); }
  // A new channel stream with its preface; fill its queue through a Refill.
  [[nodiscard]] StreamKey publish(const wire::Publish& preface,
                                  std::uint8_t priority = kPriorityDefault);
  void subscribe(const wire::Subscribe& subscribe) { core_.send(subscribe); }
  void unsubscribe(SubscriptionId subscription);
  void ask(const wire::Fate& question) { core_.send(question); }
  void cancel(const CorrelationId& request) { core_.send(wire::Cancel{request}); }
  // Delivered messages were handled: credit travels back, and the position up to which all are, if
  // there is one.
  void consumed(const DeliveryMessages& messages, std::optional<Offset> next, Instant now);
  void consumed(const DirectMessages& messages);
  // A datagram has no credit.
  void consumed(const wire::DeliverDatagram& datagram, Instant now);
  // Ends the session for good, once everything that was queued is sent.
  void close(ErrorCode code, std::string_view text);
  // Puts positions that are due on the control stream; before packets are built.
  void flush(Instant now);

  [[nodiscard]] SessionCore& core() { return core_; }

 private:
  using Dispatched = std::expected<ClientOutput, ProtocolError>;

  [[nodiscard]] Dispatched dispatch(const wire::Frame& frame, Instant now);
  [[nodiscard]] Dispatched dispatch_welcome(const wire::Frame& frame, Instant now);
  // Empty for what is of no interest to anybody above.
  [[nodiscard]] std::expected<std::optional<ClientOutput>, ProtocolError> dispatch(
      IncomingItem& item);
  [[nodiscard]] std::expected<std::optional<ClientOutput>, ProtocolError> dispatch_passing(
      IncomingStream& stream, wire::ChannelStreamItem& what);
  // The channel of a direct log's stream.
  [[nodiscard]] const std::string* direct_channel(const IncomingStream& stream) const;
  [[nodiscard]] static DirectMessages direct(const IncomingStream& stream,
                                             std::string_view channel,
                                             const wire::Messages& messages);
  [[nodiscard]] static DeliveryMessages delivery(const IncomingStream& stream,
                                                 const wire::Messages& messages);

  void send_consumed();
  void note(const wire::ConsumedPosition& position, std::size_t size, Instant now);

  SessionCore core_;
  ConsumedCollector consumed_;
  Instant welcome_deadline_;
  bool open_ = false;
  std::optional<wire::DeliverDatagram> datagram_;  // came, and was not told yet
  std::uint32_t nonce_ = 0;                        // of the newest run that was consumed
  wire::Ack ack_;  // reused
  Bytes preface_;  // reused
  std::unordered_map<std::uint64_t, std::string> direct_channels_;  // by stream; never iterated
  std::unordered_map<std::uint64_t, PassingStream> passing_;        // likewise
};

}  // namespace orzatty::session
