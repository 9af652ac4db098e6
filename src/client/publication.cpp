#include "client/publication.h"

#include <algorithm>
#include <utility>

#include "base/planted.h"
#include "wire/datagram.h"

namespace orzatty::client {

namespace {

std::unexpected<ProtocolError> invalid(std::string_view where) {
  return std::unexpected(ProtocolError{ErrorCode::kSequenceInvalid, where});
}

}  // namespace

// spec: STREAM-5, STREAM-11
void Publication::open(session::ClientSession& session) {
  wire::Publish preface{.publication = id_,
                        .producer = producer_,
                        .epoch = epoch_,
                        .next = outbox_.sent(),
                        .channel = channel_,
                        .mode = options_.mode};
  stream_ = session.publish(preface, options_.priority);
  preface.passing = true;
  passing_preface_.clear();
  if (!keeps_order()) wire::encode(preface, passing_preface_);
}

// What the server answered out of order will be sent again, and answered again.
void Publication::lose() {
  sent_max_ = std::max(sent_max_, outbox_.sent());
  stream_.reset();
  ending_ = admitted_ = false;
  refused_.reset();
  answers_.clear();
  answered_ = base::Arrivals<Sequence>(answered_.next());
  outbox_.rewind();
  outbox_.set_room(room_);
}

// What may still expire does not wait in a queue, where it could not. spec: DEADLINE-1
void Publication::refill(session::SessionCore& core, session::SendQueue& queue) {
  if (sends_datagrams()) return;
  if (keeps_order()) {
    if (queue.unsent() == 0 || !outbox_.may_skip()) {
      outbox_.fill(queue, core.scratch(), core.draw_nonce());
    }
    return;
  }
  while (core.sends().passing_unsent(*stream_) < session::SendTable::kRefillBelow) {
    if (core.sends().passing_unsent(*stream_) > 0 && outbox_.may_skip()) return;
    if (!send_passing(core)) return;
  }
}

// spec: STREAM-11
bool Publication::send_passing(session::SessionCore& core) {
  if (!outbox_.has_unsent()) return false;
  // The other half is for control frames, which cannot wait.
  if (core.scratch().in_use() > core.limits().control_backlog_max / 2) return false;
  session::SendTable& sends = core.sends();
  const session::StreamKey stream = sends.add_passing(*stream_);
  session::SendQueue& queue = sends.queue(stream);
  if (core.scratch().write(passing_preface_, queue)) {
    outbox_.fill(queue, core.scratch(), core.draw_nonce());
  }
  if (queue.unsent() <= passing_preface_.size()) {
    sends.release(stream);
    return false;
  }
  sends.finish(stream);
  return true;
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
    admitted_ = true;
    return {};
  }
  if (end > outbox_.sent()) return invalid("ACK of what was not sent");
  note_skipped();
  if (!keeps_order()) {
    std::optional<Offset> offset;
    if (!run.forgotten) offset = run.first_offset;
    return answered({.from = run.first, .to = end, .first_offset = offset, .text = {}}, outputs);
  }
  confirm(end);
  if (end <= settled_) return {};
  if (run.first > settled_) return invalid("ACK leaves out messages");
  if (!answers_.empty() && answers_.front().from < end) {
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
  if (sends_datagrams()) {
    refuse(reject, outputs);
    return {};
  }
  if (reject.to > outbox_.sent()) return invalid("REJECT of what was not sent");
  note_skipped();
  const bool turned = base::planted(base::PlantedBug::kRejectedIsAccepted);
  const bool known = reject.code != ErrorCode::kFateForgotten;
  Answer answer{.from = std::max(reject.from, settled_),
                .to = reject.to,
                .fate = turned  ? Fate::kAccepted
                        : known ? Fate::kRejected
                                : Fate::kUnknown,
                .first_offset = {},
                .code = reject.code,
                .text = reject.text};
  if (!keeps_order()) {
    answer.from = reject.from;
    return answered(std::move(answer), outputs);
  }
  confirm(reject.to);
  if (reject.to <= settled_) return {};
  if (skips_some(answer.from, reject.to)) return invalid("REJECT of what was skipped");
  if (!answers_.empty() && answer.from < answers_.back().to) return invalid("REJECT out of order");
  if (answers_.size() == kRejectionCountMax) {
    return std::unexpected(ProtocolError{ErrorCode::kLimitExceeded, "REJECT before any ACK"});
  }
  answers_.push_back(std::move(answer));
  settle_known(outputs);
  return {};
}

// spec: PUBLISH-10
std::expected<void, ProtocolError> Publication::answered(Answer answer, Outputs& outputs) {
  answered_.add(answer.from, answer.to);
  // What was skipped has its fate without an answer.
  const Sequence news = std::max(answer.from, settled_);
  if (answer.to <= settled_ || skips_all(news, answer.to)) {
    release();
    return {};
  }
  if (skips_some(news, answer.to)) return invalid("an answer to more than what was skipped");
  if (answer.from < settled_) {
    if (answer.first_offset) *answer.first_offset += settled_ - answer.from;
    answer.from = settled_;
  }
  std::size_t at = answers_.size();
  while (at > 0 && answer.from < answers_[at - 1].from) --at;
  const bool overlaps = (at > 0 && answer.from < answers_[at - 1].to) ||
                        (at < answers_.size() && answers_[at].from < answer.to);
  if (overlaps) return invalid("a second answer");
  if (answers_.size() == kAnswerCountMax) {
    return std::unexpected(ProtocolError{ErrorCode::kLimitExceeded, "answers out of order"});
  }
  answers_.insert(at, std::move(answer));
  settle_known(outputs);
  return {};
}

bool Publication::skips_all(Sequence from, Sequence to) const {
  for (std::size_t i = 0; i < skipped_.size(); ++i) {
    if (skipped_[i].from <= from && to <= skipped_[i].to) return true;
  }
  return false;
}

bool Publication::skips_some(Sequence from, Sequence to) const {
  for (std::size_t i = 0; i < skipped_.size(); ++i) {
    if (skipped_[i].from < to && from < skipped_[i].to) return true;
  }
  return false;
}

void Publication::refuse(const wire::Reject& reject, Outputs& outputs) {
  refused_ = reject;
  reject_all(outputs);
}

// What has left has its fate, whatever the server says; all behind it will not be sent.
// spec: DATAGRAM-5
void Publication::reject_all(Outputs& outputs) {
  outbox_.let_go_all();
  if (outbox_.sent() <= settled_) return;
  settle({.from = settled_,
          .to = outbox_.sent(),
          .fate = Fate::kRejected,
          .first_offset = {},
          .code = refused_->code,
          .text = refused_->text},
         outputs);
}

// spec: DATAGRAM-1
std::optional<session::Outbox::Ahead> Publication::ahead() {
  if (!admitted_ || refused_) return std::nullopt;
  return outbox_.ahead(wire::kDatagramFramesSizeMax);
}

Settled Publication::hand_over(const wire::FramesAhead& frames) {
  outbox_.let_go(frames);
  const Sequence from = std::exchange(settled_, outbox_.sent());
  const bool turned = base::planted(base::PlantedBug::kHandedIsAccepted);
  return {.publication = id_,
          .from = from,
          .to = settled_,
          .fate = turned ? Fate::kAccepted : Fate::kHandedToNetwork,
          .first_offset = {},
          .code = ErrorCode::kNone,
          .text = {}};
}

void Publication::settle_known(Outputs& outputs) {
  while (true) {
    if (!answers_.empty() && answers_.front().from == settled_) {
      settle(answers_.pop_front(), outputs);
    } else if (!skipped_.empty() && skipped_.front().from == settled_) {
      settle(skipped_.pop_front(), outputs);
    } else {
      break;
    }
  }
  release();
}

void Publication::settle(const Answer& answer, Outputs& outputs) {
  settled_ = answer.to;
  outputs.push_back(Settled{.publication = id_,
                            .from = answer.from,
                            .to = answer.to,
                            .fate = answer.fate,
                            .first_offset = answer.first_offset,
                            .code = answer.code,
                            .text = answer.text});
}

void Publication::settle(const session::Outbox::Skipped& skipped, Outputs& outputs) {
  const bool superseded = skipped.reason == GapReason::kSuperseded;
  settle({.from = skipped.from,
          .to = skipped.to,
          .fate = superseded ? Fate::kSuperseded : Fate::kExpired,
          .first_offset = {},
          .code = superseded ? ErrorCode::kSuperseded : ErrorCode::kExpired,
          .text = superseded ? "SUPERSEDED: a newer value of its key was there before it was sent"
                             : "EXPIRED: not sent in time"},
         outputs);
}

// spec: PUBLISH-8
void Publication::confirm(Sequence next) {
  answered_.advance(next);
  release();
}

void Publication::release() { outbox_.acknowledged(std::min(answered_.next(), settled_)); }

// What the transport has of it is pinned in its outbox until it closed the stream, or those that
// passed; an ACK may be sooner than that. spec: STREAM-10
bool Publication::retire(session::ClientSession* session) {
  if (!settled() || outbox_.waiting() > 0) return false;
  if (!stream_) return true;
  session::SendTable& sends = session->core().sends();
  if (ending_ || sends.has_passing(*stream_)) return false;
  sends.finish(*stream_);
  ending_ = true;
  return false;
}

// spec: DEADLINE-1, LATEST-1
void Publication::skip(Instant now, Outputs& outputs) {
  if (refused_) reject_all(outputs);
  outbox_.skip(now);
  note_skipped();
  if (sends_datagrams()) outbox_.let_go({});  // there is no SKIP
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
