// One publisher of a client: its outbox, the stream that carries it at the moment, and which of its
// messages have their fate. Outlives connections. One thread, but for the outbox's writer.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/arrivals.h"
#include "base/ring.h"
#include "client/client_engine.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "session/client_session.h"
#include "session/outbox.h"
#include "wire/ack.h"
#include "wire/reject.h"

namespace orzatty::client {

using Outputs = base::Ring<EngineOutput>;

class Publication {
 public:
  // Rejections that wait for the fate of what was before them; a server that tells them in order
  // needs none.
  static constexpr std::size_t kRejectionCountMax = 1024;
  // Where no order is kept: a run has one answer as a rule, and at worst one for each of its messages.
  static constexpr std::size_t kAnswerCountMax = 16 * session::Outbox::kShortRunCountMax;

  Publication(PublicationId id, const NamedProducer& producer, ChannelName channel,
              const session::OutboxSize& outbox_size, const PublicationOptions& options = {})
      : id_(id),
        producer_(producer.id),
        epoch_(producer.epoch),
        channel_(std::move(channel)),
        room_(outbox_size.first),
        options_(options),
        outbox_(outbox_size, producer.next, options.mode),
        noticed_(producer.next),
        settled_(producer.next),
        answered_(producer.next),
        sent_max_(producer.next) {}

  // On a new connection: from where the peer's knowledge ends.
  void open(session::ClientSession& session);
  // The connection is gone.
  void lose();
  // Puts what may be sent now on the stream of that queue, or on passing ones of its own.
  void refill(session::SessionCore& core, session::SendQueue& queue);
  // The transport closed its stream: false when it was not this side that ended it.
  [[nodiscard]] bool closed();

  // What an ACK or REJECT settles anew, in the order of sequences, each once.
  std::expected<void, ProtocolError> accepted(const wire::AckRun& run, Outputs& outputs);
  std::expected<void, ProtocolError> rejected(const wire::Reject& reject, Outputs& outputs);
  [[nodiscard]] bool sends_datagrams() const { return options_.mode == DeliveryMode::kDatagram; }
  // What the next datagram holds. Nothing while the server has not answered. spec: DATAGRAM-1
  [[nodiscard]] std::optional<session::Outbox::Ahead> ahead();
  // Nothing of it is taken, on this connection.
  void refuse(const wire::Reject& reject, Outputs& outputs);
  // It is in a packet: its messages have their fate.
  [[nodiscard]] Settled hand_over(const wire::FramesAhead& frames);
  // What was not sent in time, or that a newer value took the place of, has its fate without an answer.
  void skip(Instant now, Outputs& outputs);
  // Nothing more will be appended: says its end to the server once nothing of it waits for
  // anything. `true` when nothing refers to it any more.
  [[nodiscard]] bool retire(session::ClientSession* session);
  // All that waits, when no answer will come any more.
  void give_up(ErrorCode code, std::string_view text, Outputs& outputs);

  [[nodiscard]] PublicationId id() const { return id_; }
  [[nodiscard]] const ProducerId& producer() const { return producer_; }
  [[nodiscard]] ProducerEpoch epoch() const { return epoch_; }
  [[nodiscard]] session::Outbox& outbox() { return outbox_; }
  [[nodiscard]] std::optional<session::StreamKey> stream() const { return stream_; }
  [[nodiscard]] bool settled() { return outbox_.published() == settled_; }
  // Something was appended since this was asked last.
  [[nodiscard]] bool has_news() {
    const Sequence before = std::exchange(noticed_, outbox_.published());
    return before != noticed_;
  }
  bool busy = false;  // stands among those that may have something to do

 private:
  // What became of [from, to).
  struct Answer {
    Sequence from;
    Sequence to;
    Fate fate = Fate::kAccepted;
    std::optional<Offset> first_offset;
    ErrorCode code = ErrorCode::kNone;
    std::string text;
  };

  [[nodiscard]] bool keeps_order() const { return options_.mode != DeliveryMode::kUnordered; }
  // Puts a run, or a skipped one, on a stream that is its own. False when there is none, or no room.
  [[nodiscard]] bool send_passing(session::SessionCore& core);
  // An answer that need not be the next in order.
  std::expected<void, ProtocolError> answered(Answer answer, Outputs& outputs);
  // [from, to) was skipped at one go; some of it was skipped.
  [[nodiscard]] bool skips_all(Sequence from, Sequence to) const;
  [[nodiscard]] bool skips_some(Sequence from, Sequence to) const;

  // What is next in order and needs no further answer: what was answered, and what expired.
  void settle_known(Outputs& outputs);
  void note_skipped();
  // The server expects `next`: it knows of everything before.
  void confirm(Sequence next);
  void release();
  void give_up(Sequence end, ErrorCode code, std::string_view text, Outputs& outputs);
  void settle(const Answer& answer, Outputs& outputs);
  void settle(const session::Outbox::Skipped& skipped, Outputs& outputs);
  void reject_all(Outputs& outputs);

  PublicationId id_;
  ProducerId producer_;
  ProducerEpoch epoch_;
  ChannelName channel_;
  std::size_t room_;  // for what waits, before the Governor knows better
  PublicationOptions options_;
  session::Outbox outbox_;
  std::optional<session::StreamKey> stream_;
  bool ending_ = false;  // its end is queued on that stream
  bool admitted_ = false;                // the server answered the PUBLISH on it
  std::optional<wire::Reject> refused_;  // all of it is, on this connection: it sends datagrams
  Sequence noticed_;     // what was appended when somebody looked
  Sequence settled_;     // everything below has its fate
  base::Arrivals<Sequence> answered_;  // what the server knows of, skipped ones too
  Sequence sent_max_;                  // on earlier connections
  base::Ring<Answer> answers_;         // ascending: they wait for the fate of what is before them
  Bytes passing_preface_;              // of this connection
  base::Ring<session::Outbox::Skipped> skipped_;  // that wait for the fate of what was before them
};

}  // namespace orzatty::client
