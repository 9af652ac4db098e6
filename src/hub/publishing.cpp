#include "hub/publishing.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/planted.h"
#include "base/utf8.h"
#include "hub/asking.h"
#include "hub/datagram_publishing.h"
#include "hub/fates.h"
#include "hub/verdicts.h"
#include "wire/datagram.h"
#include "wire/direct.h"
#include "wire/message.h"

namespace orzatty::hub {

namespace {

constexpr std::string_view kServerIdentity = "$server";

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

// Sequences of a producer are counted per channel.
std::string turned_away_name(const Peer& peer, const wire::Publish& publish) {
  return peer.identity + '\0' + std::string(publish.channel.text());
}

// What became of the first of `count` messages that came before, and of as many behind it as share
// its fate.
struct KnownFate {
  ErrorCode code = ErrorCode::kNone;  // of a rejected one
  Offset offset;
  bool forgotten = false;  // where it was
  std::uint64_t count = 0;
};

// spec: PUBLISH-5
KnownFate fate_of(const Publication& publication, Sequence first, std::uint64_t count) {
  const Refusals& refusals = (*publication.producers)[publication.producer].refusals;
  const auto refused = refusals.find(first);
  if (refused && refused->from <= first) {
    const std::uint64_t same = std::min<std::uint64_t>(count, refused->to - first);
    return {.code = refused->code, .offset = {}, .forgotten = false, .count = same};
  }
  if (refused) count = std::min<std::uint64_t>(count, refused->from - first);
  const bool unsure = first < refusals.forgotten_below();
  if (unsure) count = std::min<std::uint64_t>(count, refusals.forgotten_below() - first);
  const ErrorCode unless_refused = unsure ? ErrorCode::kFateForgotten : ErrorCode::kNone;
  if (publication.channel == nullptr) {  // an endpoint counts by sequences
    return {.code = unless_refused,
            .offset = Offset(first.value()),
            .forgotten = false,
            .count = count};
  }
  using Past = Channel::Past;
  const Past past = publication.channel->find(publication.producer, first, count);
  const ErrorCode code = past.fate == Past::Fate::kKept      ? ErrorCode::kNone
                         : past.fate == Past::Fate::kRefused ? ErrorCode::kOverloaded
                                                             : unless_refused;
  return {.code = code,
          .offset = past.offset,
          .forgotten = past.fate == Past::Fate::kForgotten,
          .count = past.count};
}

// spec: PUBLISH-9
bool may_publish(const HubConfig& config, const wire::Publish& publish) {
  if (publish.mode == DeliveryMode::kReliable) return true;
  if (publish.channel.reserved()) return false;  // whoever replies is to be told of it
  return publish.mode == config.properties_of(publish.channel).mode;
}

// What came in another order can only be told apart by who knows that. spec: PUBLISH-9
bool began_otherwise(const Producer& known, const wire::Publish& publish) {
  const bool keeps_order = publish.mode != DeliveryMode::kUnordered;
  return known.epoch == publish.epoch && (known.mode != DeliveryMode::kUnordered) != keeps_order;
}

}  // namespace

Publishing::Publishing(HubState& state, const Sessions& sessions, Subscribing& subscribing,
                       Requests& requests)
    : state_(state),
      sessions_(sessions),
      subscribing_(subscribing),
      requests_(requests),
      replies_(&endpoints_.try_emplace(std::string(wire::kReplyChannel), state.pool).first->second),
      turned_away_(state.pool) {
  state_.prng.fill(own_id_.bytes);
}

void Publishing::handle_channel(const ChannelName& channel, std::size_t handler) {
  endpoints_.try_emplace(std::string(channel.text()), state_.pool).first->second.handler = handler;
}

void Publishing::open(Peer& peer, const session::PublicationOpened& opened) {
  const wire::Publish& publish = opened.publish;
  // spec: STREAM-11
  if (publish.passing && publish.mode != DeliveryMode::kUnordered) {
    return peer.session.core().fail({ErrorCode::kFrameUnexpected, "passing, with an order"});
  }
  const auto [entry, is_new] = peer.publications.try_emplace(publish.publication.value());
  Publication& publication = entry->second;
  if (is_new) {
    begin(peer, publication, publish);
  } else if (!is_same(publication, publish)) {
    // spec: STREAM-7
    peer.session.core().fail({ErrorCode::kFrameUnexpected, "a publication twice"});
  }
  if (peer.session.core().closed() || publish.passing) return;
  publication.has_own_stream = true;
  // spec: PUBLISH-7
  const Sequence next = publication.joined
                            ? (*publication.producers)[publication.producer].known.next()
                            : publish.next;
  const bool refused = publication.refused != ErrorCode::kNone;
  if (refused && publication.as_datagrams) {
    return DatagramPublishing::refuse(peer, publish.publication, publication, next);
  }
  answer(peer, publish.publication, next);
}

void Publishing::answer(Peer& peer, PublicationId publication, Sequence next) {
  peer.session.accepted({.publication = publication,
                         .first = next,
                         .count = 0,
                         .first_offset = {},
                         .duplicate = false},
                        0, 0, state_.now);
}

// A stream that joins what another stream of the same publication began. spec: STREAM-7, STREAM-11
bool Publishing::is_same(const Publication& publication, const wire::Publish& publish) {
  if (!publish.passing && publication.has_own_stream) return false;
  if (publication.keeps_order || publish.mode != DeliveryMode::kUnordered) return false;
  if (publication.name != publish.channel.text()) return false;
  if (!publication.joined) return true;
  const Producer& producer = (*publication.producers)[publication.producer];
  return producer.id == publish.producer && producer.epoch == publish.epoch;
}

void Publishing::begin(Peer& peer, Publication& publication, const wire::Publish& publish) {
  // spec: STREAM-9
  if (peer.publications.size() > state_.config.limits.publication_count_max) {
    return peer.session.core().fail({ErrorCode::kLimitExceeded, "too many publications"});
  }
  publication.name = publish.channel.text();
  publication.keeps_order = publish.mode != DeliveryMode::kUnordered;
  publication.as_datagrams = publish.mode == DeliveryMode::kDatagram;
  const auto endpoint = endpoints_.find(publish.channel.text());
  if (publish.channel.reserved() && publish.channel.text() != wire::kReplyChannel) {
    publication.refused = ErrorCode::kNotAuthorised;  // spec: NAME-3
  } else if (publish.channel.text().size() > state_.config.limits.channel_name_size_max) {
    publication.refused = ErrorCode::kNameInvalid;
  } else if (!may_publish(state_.config, publish)) {
    publication.refused = ErrorCode::kModeUnsupported;
  } else if (endpoint != endpoints_.end() && !publication.keeps_order) {
    publication.refused = ErrorCode::kModeUnsupported;  // a handler is given a producer's in order
  } else if (endpoint != endpoints_.end()) {
    publication.endpoint = &endpoint->second;
    publication.producers = &endpoint->second.producers;
  } else if (Channel* const channel = subscribing_.find_or_make(publish.channel)) {
    publication.channel = channel;
    publication.producers = &channel->producers();
    ++channel->publication_count;
    subscribing_.tend(*channel);
  } else {
    publication.refused = ErrorCode::kChannelLimit;
    // Of datagrams nothing will come that would have to be known again.
    if (!publication.as_datagrams) publication.producers = &turned_away_;
  }
  if (publication.producers != nullptr) join(peer, publication, publish);
}

// spec: PUBLISH-3
void Publishing::join(Peer& peer, Publication& publication, const wire::Publish& publish) {
  const bool turned_away = publication.producers == &turned_away_;
  const std::string name = turned_away ? turned_away_name(peer, publish) : peer.identity;
  Producer* const known = publication.producers->find(publish.producer, name);
  if (known != nullptr && began_otherwise(*known, publish)) return turn_away(publication);
  if (known != nullptr && turned_away) known->known.advance(publish.next);  // a channel in between
  const auto joined = publication.producers->join(publish, name);
  if (!joined) {
    leave(publication);
    publication = {};
    return peer.session.core().fail(joined.error());
  }
  publication.producer = *joined;
  publication.joined = true;
  if (!turned_away) recall_refusals(peer, publication, publish);
}

// Its sequences are not the producer's: nothing that becomes of them may be known of those.
void Publishing::turn_away(Publication& publication) {
  leave(publication);
  publication.channel = nullptr;
  publication.endpoint = nullptr;
  publication.producers = nullptr;
  publication.refused = ErrorCode::kModeUnsupported;
}

// There was no room for the channel, and now there is.
void Publishing::recall_refusals(Peer& peer, const Publication& publication,
                                 const wire::Publish& publish) {
  const Producer* const before =
      turned_away_.find(publish.producer, turned_away_name(peer, publish));
  Producer& producer = (*publication.producers)[publication.producer];
  if (before == nullptr || before->epoch != producer.epoch || began_otherwise(*before, publish)) {
    return;
  }
  conclude(producer, producer.known.next(), before->known.next(), ErrorCode::kChannelLimit);
  for (std::size_t i = 0; i < before->known.above().size(); ++i) {
    const auto& range = before->known.above()[i];
    conclude(producer, range.from, range.to, ErrorCode::kChannelLimit);
  }
  check_scatter(peer, producer);
}

// What of [from, to) has no fate yet has one now, and how many that were. spec: PUBLISH-5
std::uint64_t Publishing::conclude(Producer& producer, Sequence from, Sequence to,
                                   std::optional<ErrorCode> refusal) {
  std::uint64_t count = 0;
  while (from < to) {
    const auto stretch = producer.known.look(from, to - from);
    const Sequence end = from + stretch.count;
    if (!stretch.known && refusal) producer.refusals.add({from, end, *refusal}, state_.refusals);
    if (!stretch.known) count += stretch.count;
    producer.known.add(from, end);
    from = end;
  }
  return count;
}

void Publishing::leave(Publication& publication) {
  if (publication.joined) publication.producers->leave(publication.producer);
  if (publication.channel == nullptr) return;
  --publication.channel->publication_count;
  subscribing_.tend(*publication.channel);
}

void Publishing::close(Peer& peer, PublicationId id) {
  const auto found = peer.publications.find(id.value());
  if (found == peer.publications.end()) return;
  leave(found->second);
  peer.publications.erase(found);
}

void Publishing::forget(Peer& peer) {
  for (auto& [id, publication] : peer.publications) leave(publication);
  peer.publications.clear();
}

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
    if (publication.joined) check_scatter(peer, (*publication.producers)[publication.producer]);
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
    if (stretch.known) {
      acknowledge(peer, publication, part);
    } else if (const auto fresh = checked(peer, publication, part)) {
      static_cast<void>(take(peer, *fresh));
    }
  }
  check_scatter(peer, (*publication.producers)[publication.producer]);
}

// spec: PUBLISH-11
void Publishing::check_scatter(Peer& peer, Producer& producer) {
  const std::size_t count = producer.known.above().size();
  if (count <= kScatterFree) return;
  if (count <= kScatterMax && producer.charge.resize(producer.cost())) return;
  peer.session.core().fail({ErrorCode::kLimitExceeded, "too many holes in a publication"});
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
    const KnownFate past = fate_of(publication, first, rest);
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
    conclude((*publication.producers)[publication.producer], given.first, given.first + given.count,
             code);
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
        conclude(producer, skipped.from, skipped.to, refusal);
    check_scatter(peer, producer);
    next = producer.known.next();
  }
  if (publication.keeps_order) return answer(peer, skipped.publication, next);
  // What the next sequence is tells nothing of this range.
  peer.session.rejected(skipped.publication, skipped.from, skipped.to, ErrorCode::kExpired,
                        advice(ErrorCode::kExpired));
}

// spec: FATE-3
void Publishing::tell_fates(Peer& peer, wire::Fate question) {
  const auto endpoint = endpoints_.find(question.channel.text());
  const Channel* const channel = subscribing_.find(question.channel.text());
  const Producers& producers = endpoint != endpoints_.end() ? endpoint->second.producers
                               : channel != nullptr         ? channel->producers()
                                                            : turned_away_;
  const auto* const producer = producers.find(question.producer, peer.identity, question.epoch);
  question.runs = fates_of(producers, endpoint != endpoints_.end() ? nullptr : channel, producer,
                           question.runs[0]);
  peer.session.answer(question);
}

std::optional<Sequence> Publishing::next_of(const ProducerId& producer, const ChannelName& channel,
                                            std::string_view identity) {
  const auto endpoint = endpoints_.find(channel.text());
  Channel* const stored = subscribing_.find(channel.text());
  Producer* known = nullptr;
  if (endpoint != endpoints_.end()) {
    known = endpoint->second.producers.find(producer, identity);
  } else if (stored != nullptr) {
    known = stored->producers().find(producer, identity);
  }
  if (known == nullptr) return std::nullopt;
  return known->known.next();
}

// spec: FRAME-3
ErrorCode Publishing::publish(const ChannelName& name, MessageType type, BytesView payload,
                              const MessageAttributes& attributes) {
  if (wire::message_body_size(attributes, payload.size()) > state_.config.limits.message_size_max)
    return ErrorCode::kMessageTooLarge;
  if (type == MessageType::kText && !base::is_utf8(payload)) return ErrorCode::kTextInvalid;
  if (name.text().size() > state_.config.limits.channel_name_size_max) {
    return ErrorCode::kNameInvalid;
  }
  Channel* const channel = subscribing_.find_or_make(name);
  if (channel == nullptr) return ErrorCode::kChannelLimit;
  if (channel->config().mode == DeliveryMode::kDatagram &&
      wire::message_body_size(attributes, payload.size()) > kDatagramMessageSizeMax) {
    return ErrorCode::kMessageTooLarge;
  }
  // A client would get no credit; the server itself is told so, when memory is at stake.
  if (channel->full()) return ErrorCode::kOverloaded;
  const base::ProducerNumber number = channel->own_producer(own_id_, kServerIdentity);
  Producer& producer = channel->producers()[number];
  std::array<std::byte, wire::kMessageHeaderSizeMax> header;
  const std::size_t size = wire::encode_message_header(header, type, attributes, payload.size());
  const Batch batch{.producer = number,
                    .first = producer.known.next(),
                    .count = 1,
                    .header = BytesView(header).first(size),
                    .body = payload,
                    .has_attributes = false};
  const ErrorCode code = append_own(*channel, batch, attributes);
  if (code == ErrorCode::kNone) {
    producer.known.advance(producer.known.next() + 1);
    ++state_.counters.messages_in;
    state_.counters.bytes_in += size + payload.size();
    ++channel->traffic().accepted;
    channel->traffic().accepted_bytes += size + payload.size();
    subscribing_.wake(*channel);
  }
  subscribing_.tend(*channel);
  return code;
}

ErrorCode Publishing::append_own(Channel& channel, Batch batch,
                                 const MessageAttributes& attributes) {
  if (channel.values() != nullptr) {
    own_frame_.assign(batch.header.begin(), batch.header.end());
    own_frame_.insert(own_frame_.end(), batch.body.begin(), batch.body.end());
    batch.header = {};
    batch.body = own_frame_;
    if (!channel.values()->admit(*wire::MessageRange(own_frame_).begin())) {
      return ErrorCode::kLimitExceeded;
    }
    return channel.append(batch, state_.now) ? ErrorCode::kNone : ErrorCode::kOverloaded;
  }
  const base::LogCursor begin = channel.end();
  if (!channel.append(batch, state_.now)) return ErrorCode::kOverloaded;
  if (attributes.time_to_live) {
    const Offset offset(channel.index().next_offset().value() - 1);
    channel.deadlines().note(*attributes.time_to_live, offset, begin,
                             batch.header.size() + batch.body.size(), state_.now);
  }
  return ErrorCode::kNone;
}

}  // namespace orzatty::hub
