#include "client/publication.h"

#include <algorithm>

namespace orzatty::client {

void Publication::open(session::ClientSession& session) {
  stream_ = session.publish({.publication = id_,
                             .producer = producer_,
                             .epoch = ProducerEpoch(0),
                             .next = outbox_.sent(),
                             .channel = channel_});
}

void Publication::lose() {
  stream_.reset();
  outbox_.rewind();
}

std::expected<std::optional<Range>, ProtocolError> Publication::accepted(const wire::AckRun& run) {
  // Count 0 tells what the server expects: it has all before, from an earlier connection.
  if (run.count == 0) {
    if (run.first <= settled_) return std::nullopt;
    return settle(settled_, run.first, Offset(0));
  }
  return settle(run.first, run.first + run.count, run.first_offset);
}

std::expected<std::optional<Range>, ProtocolError> Publication::rejected(
    const wire::Reject& reject) {
  return settle(reject.from, reject.to, Offset(0));
}

std::expected<std::optional<Range>, ProtocolError> Publication::settle(Sequence from, Sequence to,
                                                                       Offset first_offset) {
  if (to > outbox_.published()) {
    return std::unexpected(ProtocolError{ErrorCode::kSequenceInvalid, "ACK of what was not sent"});
  }
  if (to <= settled_) return std::nullopt;
  if (from > settled_) {
    return std::unexpected(ProtocolError{ErrorCode::kSequenceInvalid, "ACK leaves out messages"});
  }
  const Range range{settled_, to, first_offset + (settled_ - from)};
  settled_ = to;
  outbox_.acknowledged(to);
  return range;
}

std::optional<Range> Publication::give_up() {
  const Sequence end = outbox_.published();
  if (end == settled_) return std::nullopt;
  const Range range{settled_, end, Offset(0)};
  settled_ = end;
  return range;
}

}  // namespace orzatty::client
