#include "client/publication.h"

#include <algorithm>

#include "base/planted.h"

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
                             .epoch = epoch_,
                             .next = outbox_.sent(),
                             .channel = channel_,
                             .mode = options_.mode},
                            options_.priority);
}

// What the server rejected out of order will be asked again, and answered again.
void Publication::lose() {
  sent_max_ = std::max(sent_max_, outbox_.sent());
  stream_.reset();
  ending_ = false;
  rejections_.clear();
  outbox_.rewind();
  outbox_.set_room(outbox_size_max_);
}

bool Publication::closed() {
  stream_.reset();
  return ending_;
}

// spec: PUBLISH-1, PUBLISH-5
std::expected<void, ProtocolError> Publication::accepted(const wire::AckRun& run,
                                                         Outputs& outputs) {
  const Sequence end = run.first + run.count;
  if (run.count == 0) {
    // spec: PUBLISH-7
    // It tells what the server has had. What of that we do not know the fate of is on its way
    // again, and the answer to it says more: the offsets, and what was rejected.
    // Of what was skipped it says enough.
    // A process before this one may have sent more than the application stored.
    const bool continued = outbox_.first_sequence() > Sequence(0) || epoch_ > ProducerEpoch(0);
    if (!continued && end > std::max(sent_max_, outbox_.sent())) {
      return invalid("ACK of what was not sent");
    }
    confirm(std::min(end, std::max(sent_max_, outbox_.sent())));
    return {};
  }
  if (end > outbox_.sent()) return invalid("ACK of what was not sent");
  note_skipped();
  confirm(end);
  if (end <= settled_) return {};
  if (run.first > settled_) return invalid("ACK leaves out messages");
  if (!rejections_.empty() && rejections_.front().from < end) {
    return invalid("ACK of what was rejected");
  }
  if (!skipped_.empty() && skipped_.front().from < end) return invalid("ACK of what was skipped");
  std::optional<Offset> first_offset;
  if (!run.forgotten) first_offset = run.first_offset + (settled_ - run.first);
  outputs.push_back(Settled{.publication = id_,
                            .from = settled_,
                            .to = end,
                            .fate = Fate::kAccepted,
                            .first_offset = first_offset,
                            .code = ErrorCode::kNone,
                            .text = {}});
  settled_ = end;
  settle_known(outputs);
  return {};
}

// spec: PUBLISH-1, PUBLISH-5
std::expected<void, ProtocolError> Publication::rejected(const wire::Reject& reject,
                                                         Outputs& outputs) {
  if (reject.to > outbox_.sent()) return invalid("REJECT of what was not sent");
  note_skipped();
  confirm(reject.to);
  if (reject.to <= settled_) return {};
  const Sequence from = std::max(reject.from, settled_);
  if (!rejections_.empty() && from < rejections_.back().to) return invalid("REJECT out of order");
  if (rejections_.size() == kRejectionCountMax) {
    return std::unexpected(ProtocolError{ErrorCode::kLimitExceeded, "REJECT before any ACK"});
  }
  rejections_.push_back({from, reject.to, reject.code, reject.text});
  settle_known(outputs);
  return {};
}

void Publication::settle_known(Outputs& outputs) {
  while (true) {
    if (!rejections_.empty() && rejections_.front().from == settled_) {
      const bool turned = base::planted(base::PlantedBug::kRejectedIsAccepted);
      const bool known = rejections_.front().code != ErrorCode::kFateForgotten;
      settle(rejections_.pop_front(),
             turned  ? Fate::kAccepted
             : known ? Fate::kRejected
                     : Fate::kUnknown,
             outputs);
    } else if (!skipped_.empty() && skipped_.front().from == settled_) {
      settle(skipped_.pop_front(), outputs);
    } else {
      break;
    }
  }
  outbox_.acknowledged(std::min(confirmed_, settled_));
}

void Publication::settle(const Rejection& known, Fate fate, Outputs& outputs) {
  settled_ = known.to;
  outputs.push_back(Settled{.publication = id_,
                            .from = known.from,
                            .to = known.to,
                            .fate = fate,
                            .first_offset = {},
                            .code = known.code,
                            .text = known.text});
}

void Publication::settle(const session::Outbox::Skipped& skipped, Outputs& outputs) {
  if (skipped.reason == GapReason::kSuperseded) {
    settle({skipped.from, skipped.to, ErrorCode::kSuperseded,
            "SUPERSEDED: a newer value of its key was there before it was sent"},
           Fate::kSuperseded, outputs);
  } else {
    settle({skipped.from, skipped.to, ErrorCode::kExpired, "EXPIRED: not sent in time"},
           Fate::kExpired, outputs);
  }
}

// spec: PUBLISH-8
void Publication::confirm(Sequence next) {
  confirmed_ = std::max(confirmed_, next);
  outbox_.acknowledged(std::min(confirmed_, settled_));
}

// What the transport has of it is pinned in its outbox until it closed the stream. spec: STREAM-10
bool Publication::retire(session::ClientSession* session) {
  if (!settled() || outbox_.waiting() > 0) return false;
  if (!stream_) return true;
  if (!ending_) session->core().sends().finish(*stream_);
  ending_ = true;
  return false;
}

// spec: DEADLINE-1, LATEST-1
void Publication::skip(Instant now, Outputs& outputs) {
  outbox_.skip(now);
  note_skipped();
  settle_known(outputs);
}

void Publication::note_skipped() {
  while (const auto skipped = outbox_.take_skipped()) {
    if (skipped->to <= settled_) continue;  // given up already
    const bool goes_on = !skipped_.empty() && skipped_.back().to == skipped->from &&
                         skipped_.back().reason == skipped->reason;
    if (goes_on) {
      skipped_.back().to = skipped->to;
    } else {
      skipped_.push_back({std::max(skipped->from, settled_), skipped->to, skipped->reason});
    }
  }
}

void Publication::give_up(ErrorCode code, std::string_view text, Outputs& outputs) {
  note_skipped();
  while (!skipped_.empty()) {
    give_up(skipped_.front().from, code, text, outputs);
    settle_known(outputs);
  }
  give_up(outbox_.published(), code, text, outputs);
}

void Publication::give_up(Sequence end, ErrorCode code, std::string_view text, Outputs& outputs) {
  if (end <= settled_) return;
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
