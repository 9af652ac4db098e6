// One publisher of a client: its outbox, the stream that carries it at the moment, and which of its
// messages have their fate. Outlives connections.
#pragma once

#include <expected>
#include <optional>

#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "session/client_session.h"
#include "session/outbox.h"
#include "wire/ack.h"
#include "wire/reject.h"

namespace orzatty::client {

// Sequences that got their fate.
struct Range {
  Sequence from;
  Sequence to;
  Offset first_offset;  // of `from`
};

class Publication {
 public:
  Publication(PublicationId id, const ProducerId& producer, ChannelName channel,
              std::size_t outbox_size_max)
      : id_(id), producer_(producer), channel_(std::move(channel)), outbox_(outbox_size_max) {}

  // On a new connection: from where the peer's knowledge ends.
  void open(session::ClientSession& session);
  // The connection is gone.
  void lose();

  // What an ACK or REJECT settles anew; nothing when all of it was known. spec: PUBLISH-1, PUBLISH-5
  std::expected<std::optional<Range>, ProtocolError> accepted(const wire::AckRun& run);
  std::expected<std::optional<Range>, ProtocolError> rejected(const wire::Reject& reject);
  // All that waits, when no answer will come any more.
  std::optional<Range> give_up();

  [[nodiscard]] PublicationId id() const { return id_; }
  [[nodiscard]] session::Outbox& outbox() { return outbox_; }
  [[nodiscard]] std::optional<session::StreamKey> stream() const { return stream_; }
  [[nodiscard]] bool settled() { return outbox_.published() == settled_; }

 private:
  std::expected<std::optional<Range>, ProtocolError> settle(Sequence from, Sequence to,
                                                            Offset first_offset);

  PublicationId id_;
  ProducerId producer_;
  ChannelName channel_;
  session::Outbox outbox_;
  std::optional<session::StreamKey> stream_;
  Sequence settled_;  // everything below has its fate
};

}  // namespace orzatty::client
