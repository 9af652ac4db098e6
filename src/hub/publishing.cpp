#include "hub/publishing.h"

#include <algorithm>

#include "base/planted.h"
#include "hub/asking.h"
#include "hub/fates.h"
#include "hub/verdicts.h"
#include "wire/datagram.h"
#include "wire/message.h"

namespace orzatty::hub {

namespace {

// Once in a while, in the simulator's build.
bool planted_at(base::PlantedBug bug, Offset offset) {
  constexpr std::uint64_t kEvery = 64;
  return base::planted(bug) && offset.value() % kEvery == kEvery / 2;
}

// The bytes of the first `count` message frames.
std::size_t size_of(BytesView frames, std::uint64_t count) {
  std::size_t size = 0;
  auto message = wire::MessageRange(frames).begin();
  for (; count > 0; --count, ++message) size += message->frame_size;
  return size;
}

}  // namespace

std::optional<Publishing::Fresh> Publishing::fresh(Peer& peer,
                                                   const session::PublicationMessages& given) {
  const auto found = peer.publications.find(given.publication.value());
  if (found == peer.publications.end() || peer.session.core().closed()) return std::nullopt;
  Publication& publication = found->second;
  if (publication.as_datagrams) {  // spec: DATAGRAM-4
    peer.session.core().fail({ErrorCode::kFrameUnexpected, "a RUN of a publication of datagrams"});
    return std::nullopt;
  }
  state_.counters.messages_in += given.count;
  state_.counters.bytes_in += given.frames.size();
  const bool goes_nowhere = publication.channel == nullptr && publication.endpoint == nullptr;
  if (goes_nowhere) {
    reject(peer, publication, given, publication.refused);
    if (publication.joined)
      publications_.check_scatter(peer, (*publication.producers)[publication.producer]);
    return std::nullopt;
  }
  if (!publication.keeps_order) {
    take_scattered(peer, publication, given);
    return std::nullopt;
  }
  return checked(peer, publication, acknowledge_known(peer, publication, given));
}

// What was stored before stays accepted, nothing else will be. spec: PUBLISH-3, PUBLISH-9
std::optional<Publishing::Fresh> Publishing::checked(Peer& peer, Publication& publication,
                                                     const session::PublicationMessages& fresh) {
  if (fresh.count == 0) return std::nullopt;
  const bool fenced = (*publication.producers)[publication.producer].fenced;
  if (fenced || publication.refused != ErrorCode::kNone) {
    reject(peer, publication, fresh, fenced ? ErrorCode::kFenced : publication.refused);
    return std::nullopt;
  }
  const Asking asking = fresh.has_attributes ? asking_of(fresh.frames) : Asking::kNothing;
  // spec: REQUEST-1
  if (asking == Asking::kForbidden) {
    peer.session.core().fail({ErrorCode::kFrameMalformed, "attributes that a client may not set"});
    return std::nullopt;
  }
  return Fresh{&publication, fresh, asking == Asking::kReplies};
}

// Where no order is kept, what is known and what is new may take turns. spec: PUBLISH-2, PUBLISH-10
void Publishing::take_scattered(Peer& peer, Publication& publication,
                                session::PublicationMessages given) {
  const base::Arrivals<Sequence>& known = (*publication.producers)[publication.producer].known;
  while (given.count > 0 && !peer.session.core().closed()) {
    const auto stretch = known.look(given.first, given.count);
    session::PublicationMessages part = given;
    part.count = stretch.count;
    part.frames = given.frames.first(size_of(given.frames, stretch.count));
    given.first += part.count;
    given.count -= part.count;
    given.frames = given.frames.subspan(part.frames.size());
    if (stretch.known && !base::planted(base::PlantedBug::kScatteredIsStoredTwice)) {
      acknowledge(peer, publication, part);
    } else if (const auto fresh = checked(peer, publication, part)) {
      static_cast<void>(take(peer, *fresh));
    }
  }
  publications_.check_scatter(peer, (*publication.producers)[publication.producer]);
}

std::optional<HubOutput> Publishing::take(Peer& peer, const Fresh& fresh) {
  Publication& publication = *fresh.publication;
  if (publication.endpoint != nullptr) return hand_over(peer, publication, fresh.messages);
  // Most runs cannot hold a message that is too large for a datagram.
  const Channel& channel = *publication.channel;
  const bool may_be_too_large = channel.config().mode == DeliveryMode::kDatagram &&
                                fresh.messages.frames.size() > wire::kDatagramFrameSizeMax;
  if (fresh.has_requests || may_be_too_large || channel.values() != nullptr) {
    store_each(peer, publication, fresh.messages);
  } else {
    static_cast<void>(store(peer, publication, fresh.messages));
  }
  return std::nullopt;
}

// spec: PUBLISH-1, PUBLISH-2
session::PublicationMessages Publishing::acknowledge_known(
    Peer& peer, const Publication& publication, const session::PublicationMessages& given) {
  const Sequence next = (*publication.producers)[publication.producer].known.next();
  session::PublicationMessages fresh = given;
  if (given.first >= next || base::planted(base::PlantedBug::kDuplicateIsStored)) return fresh;
  session::PublicationMessages known = given;
  known.count = std::min<std::uint64_t>(next - given.first, given.count);
  known.frames = given.frames.first(size_of(given.frames, known.count));
  acknowledge(peer, publication, known);
  fresh.first += known.count;
  fresh.count -= known.count;
  fresh.frames = fresh.frames.subspan(known.frames.size());
  return fresh;
}

void Publishing::acknowledge(Peer& peer, const Publication& publication,
                             const session::PublicationMessages& known) {
  Sequence first = known.first;
  for (std::uint64_t rest = known.count; rest > 0;) {
    const KnownFate past = known_fate(publication, first, rest);
    if (past.code != ErrorCode::kNone) {
      peer.session.rejected(known.publication, first, first + past.count, past.code,
                            advice(past.code));
    } else {
      peer.session.accepted({.publication = known.publication,
                             .first = first,
                             .count = past.count,
                             .first_offset = past.offset,
                             .duplicate = true,
                             .forgotten = past.forgotten},
                            0, known.nonce, state_.now);
    }
    first += past.count;
    rest -= past.count;
  }
  state_.counters.duplicates += known.count;
  peer.session.core().consumed(known.stream, known.frames.size());
}

// spec: PUBLISH-4
bool Publishing::store(Peer& peer, Publication& publication,
                       const session::PublicationMessages& fresh) {
  Channel& channel = *publication.channel;
  const Offset offset = channel.index().next_offset();
  const Batch batch{.producer = publication.producer,
                    .first = fresh.first,
                    .count = fresh.count,
                    .header = {},
                    .body = fresh.frames,
                    .has_attributes = fresh.has_attributes};
  const bool lost = planted_at(base::PlantedBug::kAcceptedIsNotStored, offset);
  // Streams of their own get credit that nobody takes back: who sends on regardless of answers that
  // do not come finds no room.
  const bool too_much = (!publication.keeps_order && channel.full()) || !channel.may_owe();
  if (too_much) channel.revoke();
  if (too_much || (!lost && !channel.append(batch, state_.now))) {
    reject(peer, publication, fresh, ErrorCode::kOverloaded);
    return false;
  }
  if (planted_at(base::PlantedBug::kRejectedIsStored, offset)) {
    reject(peer, publication, fresh, ErrorCode::kOverloaded);
    return false;
  }
  channel.traffic().accepted += fresh.count;
  channel.traffic().accepted_bytes += fresh.frames.size();
  (*publication.producers)[publication.producer].known.add(fresh.first, fresh.first + fresh.count);
  const wire::AckRun ack{.publication = fresh.publication,
                         .first = fresh.first,
                         .count = fresh.count,
                         .first_offset = offset,
                         .duplicate = false};
  const std::uint64_t size = fresh.frames.size();
  Owed owed{peer.key, fresh.stream, size, channel.end_position(), std::nullopt, fresh.nonce};
  if (publication.keeps_order) {
    peer.session.accepted(ack, size, fresh.nonce, state_.now);
  } else {
    owed.ack = ack;  // spec: CREDIT-3
  }
  const bool credited = !planted_at(base::PlantedBug::kCreditIsLost, offset);
  if (credited) channel.owe(owed);
  if (lost) return true;
  subscribing_.wake(channel);
  subscribing_.tend(channel);
  return true;
}

// In order, as many at once as have the same answer.
void Publishing::store_each(Peer& peer, Publication& publication,
                            const session::PublicationMessages& fresh) {
  Channel& channel = *publication.channel;
  const auto judge = [&](const wire::MessageView& message, std::uint64_t waiting) {
    const Offset offset = channel.index().next_offset() + waiting;
    return admit(peer, channel, message, offset);
  };
  settle_by_verdict(fresh, judge, [&](const session::PublicationMessages& group, ErrorCode code) {
    if (code != ErrorCode::kNone) return reject(peer, publication, group, code);
    if (store(peer, publication, group)) return;
    for (const wire::MessageView& message : wire::MessageRange(group.frames)) {
      if (const auto id = request_id(message)) requests_.erase(*id);
    }
  });
}

// spec: LATEST-3
ErrorCode Publishing::admit(const Peer& peer, Channel& channel, const wire::MessageView& message,
                            Offset offset) {
  if (channel.config().mode == DeliveryMode::kDatagram &&
      message.frame_size > wire::kDatagramFrameSizeMax) {
    return ErrorCode::kMessageTooLarge;  // spec: DATAGRAM-8
  }
  const ErrorCode code = expect_reply(peer, channel, message, offset);
  if (code != ErrorCode::kNone || channel.values() == nullptr) return code;
  if (channel.values()->admit(message)) return code;
  if (const auto id = request_id(message)) requests_.erase(*id);
  return ErrorCode::kLimitExceeded;
}

// spec: REQUEST-2, REQUEST-4
ErrorCode Publishing::expect_reply(const Peer& peer, Channel& channel,
                                   const wire::MessageView& message, Offset offset) {
  const auto id = request_id(message);
  if (!id) return ErrorCode::kNone;
  if (channel.readers().empty() && !sessions_.subscribed(channel.name(), channel.returning)) {
    return ErrorCode::kNoResponder;
  }
  using std::chrono::milliseconds;
  const Duration lifetime_max = state_.config.limits.request_timeout_max;
  const auto time_to_live = wire::decode_attributes(message.attributes)->time_to_live;
  // Compared in its own unit: as a Duration it could overflow.
  const bool shorter =
      time_to_live && *time_to_live < std::chrono::duration_cast<milliseconds>(lifetime_max);
  return requests_.add({.id = *id,
                        .requester = *peer.session_id,
                        .channel = channel.epoch(),
                        .offset = offset,
                        .until = state_.now + (shorter ? Duration(*time_to_live) : lifetime_max)},
                       peer.identity, state_.now);
}

HubOutput Publishing::hand_over(Peer& peer, Publication& publication,
                                const session::PublicationMessages& fresh) {
  (*publication.producers)[publication.producer].known.advance(fresh.first + fresh.count);
  state_.counters.handed_over += fresh.count;
  handed_ = Handed{.peer = peer.key,
                   .stream = fresh.stream,
                   .run = {.publication = fresh.publication,
                           .first = fresh.first,
                           .count = fresh.count,
                           .first_offset = Offset(fresh.first.value()),
                           .duplicate = false},
                   .bytes = fresh.frames.size(),
                   .nonce = fresh.nonce};
  return HandlerMessages{.peer = peer.key,
                         .handler = publication.endpoint->handler,
                         .channel = publication.name,
                         .publisher = peer.identity,
                         .first = fresh.first,
                         .count = fresh.count,
                         .frames = fresh.frames};
}

void Publishing::settle() {
  if (!handed_) return;
  if (Peer* const peer = state_.find(handed_->peer)) {
    peer->session.accepted(handed_->run, handed_->bytes, handed_->nonce, state_.now);
    peer->session.core().consumed(handed_->stream, handed_->bytes);
  }
  handed_.reset();
}

void Publishing::accept(Peer& peer, Publication& publication,
                        const session::PublicationMessages& given) {
  (*publication.producers)[publication.producer].known.advance(given.first + given.count);
  state_.counters.handed_over += given.count;
  peer.session.accepted({.publication = given.publication,
                         .first = given.first,
                         .count = given.count,
                         .first_offset = Offset(given.first.value()),
                         .duplicate = false},
                        given.frames.size(), given.nonce, state_.now);
  peer.session.core().consumed(given.stream, given.frames.size());
}

// spec: PUBLISH-5
void Publishing::reject(Peer& peer, Publication& publication,
                        const session::PublicationMessages& given, ErrorCode code) {
  state_.counters.rejected += given.count;
  state_.counters.rejected_by[static_cast<std::size_t>(code)] += given.count;
  if (publication.joined) {
    publications_.conclude((*publication.producers)[publication.producer], given.first,
                           given.first + given.count, code);
    if (publication.channel != nullptr) publication.channel->has_refused = true;
  }
  peer.session.rejected(given.publication, given.first, given.first + given.count, code,
                        advice(code));
  peer.session.core().consumed(given.stream, given.frames.size());
}

// spec: PUBLISH-1, PUBLISH-8
void Publishing::skip(Peer& peer, const session::PublicationSkipped& skipped) {
  const auto found = peer.publications.find(skipped.publication.value());
  if (found == peer.publications.end() || peer.session.core().closed()) return;
  const Publication& publication = found->second;
  if (publication.as_datagrams) {  // spec: DATAGRAM-4
    return peer.session.core().fail(
        {ErrorCode::kFrameUnexpected, "a SKIP of a publication of datagrams"});
  }
  Sequence next = skipped.to;
  if (publication.producers != nullptr) {
    Producer& producer = (*publication.producers)[publication.producer];
    std::optional<ErrorCode> refusal;
    if (skipped.reason == GapReason::kExpired) refusal = ErrorCode::kExpired;
    if (skipped.reason == GapReason::kSuperseded) refusal = ErrorCode::kSuperseded;
    state_.counters.skipped_by[static_cast<std::size_t>(skipped.reason)] +=
        publications_.conclude(producer, skipped.from, skipped.to, refusal);
    publications_.check_scatter(peer, producer);
    next = producer.known.next();
  }
  if (publication.keeps_order) return publications_.answer(peer, skipped.publication, next);
  // What the next sequence is tells nothing of this range.
  peer.session.rejected(skipped.publication, skipped.from, skipped.to, ErrorCode::kExpired,
                        advice(ErrorCode::kExpired));
}

}  // namespace orzatty::hub
