// The server's side of one session: says what the peer asks for, as values, and carries the answers.
// It decides nothing about channels, which is the hub's.
//
// The contract: after each handle_*() call poll() until it is empty, before the bytes that were given
// become invalid; outputs borrow from them. One thread.
#pragma once

#include <expected>
#include <optional>
#include <string_view>
#include <variant>

#include "session/ack_collector.h"
#include "session/session_core.h"
#include "wire/cancel.h"
#include "wire/consumed.h"
#include "wire/datagram.h"
#include "wire/fate.h"
#include "wire/hello.h"
#include "wire/publish.h"
#include "wire/subscribe.h"
#include "wire/welcome.h"

namespace orzatty::session {

struct HelloReceived { wire::Hello hello; };
struct PublicationOpened { RemoteStream stream; wire::Publish publish; };
struct PublicationMessages {
  RemoteStream stream;  // whose credit consumed() returns
  PublicationId publication;
  Sequence first;
  std::uint64_t count = 0;
  std::uint32_t nonce = 0;
  bool has_attributes = false;  // some of them may have
  BytesView frames;  // whole and validated; borrowed from what was given to handle_stream()
};
// What a datagram brought. Nobody waits for an answer to it.
struct PublicationDatagram { wire::PublishDatagram datagram; };
struct PublicationSkipped {
  PublicationId publication;
  Sequence from;
  Sequence to;
  GapReason reason = GapReason::kRetention;
};
struct PublicationClosed { PublicationId publication; };
struct SubscribeRequested { wire::Subscribe subscribe; };
struct UnsubscribeRequested { SubscriptionId subscription; };
struct PositionsConsumed { wire::Consumed consumed; };
struct FateAsked { wire::Fate fate; };
struct RequestCancelled { CorrelationId correlation; };

using ServerOutput =
    std::variant<HelloReceived, PublicationOpened, PublicationMessages, PublicationDatagram,
                 PublicationSkipped, PublicationClosed, SubscribeRequested, UnsubscribeRequested,
                 PositionsConsumed, FateAsked, RequestCancelled, SessionEnded, CloseTransport>;

class ServerSession {
 public:
  ServerSession(const Limits& limits, std::uint64_t seed, Instant now);

  void handle_control(BytesView bytes, Fin fin, Instant now);
  void handle_stream(RemoteStream stream, BytesView bytes, Fin fin, Instant now);
  void handle_stream_reset(RemoteStream stream) { core_.reset_stream(stream); }
  // A stranger's has no effect. spec: DATAGRAM-2
  void handle_datagram(BytesView bytes, Instant now);
  void handle_timeout(Instant now);
  [[nodiscard]] std::optional<ServerOutput> poll();
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // The hub's answers. From welcome() on the peer's frames count.
  void welcome(const wire::Welcome& welcome, Instant now);
  [[nodiscard]] bool open() const { return state_ == State::kOpen && !core_.closed(); }
  void subscribed(SubscriptionId subscription, std::uint64_t channel_count);
  void ended(SubscriptionId subscription, ErrorCode code, std::string_view text);
  void accepted(const wire::AckRun& run, std::uint64_t bytes, std::uint32_t nonce, Instant now);
  void rejected(PublicationId publication, Sequence from, Sequence to, ErrorCode code,
                std::string_view text);
  void answer(const wire::Fate& fate) { core_.send(fate); }
  void drain(Duration time_left, std::string_view text);
  void close(ErrorCode code, std::string_view text);
  // Puts acknowledgements that are due on the control stream; before packets are built.
  void flush(Instant now);

  [[nodiscard]] SessionCore& core() { return core_; }

 private:
  enum class State : std::uint8_t { kAwaitHello, kAwaitAnswer, kOpen };
  using Dispatched = std::expected<ServerOutput, ProtocolError>;

  [[nodiscard]] Dispatched dispatch(const wire::Frame& frame);
  [[nodiscard]] Dispatched dispatch_open(const wire::Frame& frame);
  [[nodiscard]] static PublicationMessages publication(const IncomingStream& stream,
                                                       const wire::Messages& messages);
  // Empty for what is of no interest to anybody above.
  [[nodiscard]] std::expected<std::optional<ServerOutput>, ProtocolError> dispatch(
      IncomingItem& item);
  void flush_acks();

  SessionCore core_;
  AckCollector acks_;
  std::optional<wire::PublishDatagram> datagram_;  // came, and was not told yet
  State state_ = State::kAwaitHello;
  Instant hello_deadline_;
};

}  // namespace orzatty::session
