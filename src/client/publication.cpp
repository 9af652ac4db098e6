#include "client/publication.h"

#include <algorithm>

namespace orzatty::client {

namespace {

std::unexpected<ProtocolError> invalid(std::string_view where) {
  return std::unexpected(ProtocolError{ErrorCode::kSequenceInvalid, where});
}

}  // namespace

// spec: STREAM-5
void Publication::open(session::ClientSession& session) {
  stream_ = session.publish({.publication = id_,
                             .producer = producer_,
                             .epoch = ProducerEpoch(0),
                             .next = outbox_.sent(),
                             .channel = channel_});
}

// What the server rejected out of order will be asked again, and answered again.
void Publication::lose() {
  sent_max_ = std::max(sent_max_, outbox_.sent());
  stream_.reset();
  rejections_.clear();
  outbox_.rewind();
  outbox_.set_room(outbox_size_max_);
}

// spec: PUBLISH-1, PUBLISH-5
std::expected<void, ProtocolError> Publication::accepted(const wire::AckRun& run,
                                                         Outputs& outputs) {
  const Sequence end = run.first + run.count;
  if (run.count == 0) {
    // spec: PUBLISH-7
    // It tells what the server has had. What of that we do not know the fate of is on its way
    // again, and the answer to it says more: the offsets, and what was rejected.
    if (end > std::max(sent_max_, outbox_.sent())) return invalid("ACK of what was not sent");
    return {};
  }
  if (end > outbox_.sent()) return invalid("ACK of what was not sent");
  if (end <= settled_) return {};
  if (run.first > settled_) return invalid("ACK leaves out messages");
  if (!rejections_.empty() && rejections_.front().from < end) {
    return invalid("ACK of what was rejected");
  }
  outputs.push_back(Settled{.publication = id_,
                            .from = settled_,
                            .to = end,
                            .fate = Fate::kAccepted,
                            .first_offset = run.first_offset + (settled_ - run.first),
                            .code = ErrorCode::kNone,
                            .text = {}});
  settled_ = end;
  settle_rejections(outputs);
  return {};
}

// spec: PUBLISH-1, PUBLISH-5
std::expected<void, ProtocolError> Publication::rejected(const wire::Reject& reject,
                                                         Outputs& outputs) {
  if (reject.to > outbox_.sent()) return invalid("REJECT of what was not sent");
  if (reject.to <= settled_) return {};
  const Sequence from = std::max(reject.from, settled_);
  if (!rejections_.empty() && from < rejections_.back().to) return invalid("REJECT out of order");
  if (rejections_.size() == kRejectionCountMax) {
    return std::unexpected(ProtocolError{ErrorCode::kLimitExceeded, "REJECT before any ACK"});
  }
  rejections_.push_back({from, reject.to, reject.code, reject.text});
  settle_rejections(outputs);
  return {};
}

void Publication::settle_rejections(Outputs& outputs) {
  while (!rejections_.empty() && rejections_.front().from == settled_) {
    Rejection rejection = rejections_.pop_front();
    settled_ = rejection.to;
    outputs.push_back(Settled{.publication = id_,
                              .from = rejection.from,
                              .to = rejection.to,
                              .fate = Fate::kRejected,
                              .first_offset = {},
                              .code = rejection.code,
                              .text = std::move(rejection.text)});
  }
  outbox_.acknowledged(settled_);
}

void Publication::give_up(ErrorCode code, std::string_view text, Outputs& outputs) {
  const Sequence end = outbox_.published();
  if (end == settled_) return;
  outputs.push_back(Settled{.publication = id_,
                            .from = settled_,
                            .to = end,
                            .fate = Fate::kUnknown,
                            .first_offset = {},
                            .code = code,
                            .text = std::string(text)});
  settled_ = end;
}

}  // namespace orzatty::client
