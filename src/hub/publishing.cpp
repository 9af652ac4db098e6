#include "hub/publishing.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/planted.h"
#include "base/utf8.h"
#include "hub/fates.h"
#include "hub/verdicts.h"
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

enum class Asking : std::uint8_t {
  kNothing,
  kReplies,    // some of the messages are requests
  kForbidden,  // some say what only the server says, or want a reply without an id
};

Asking asking_of(BytesView frames) {
  Asking asking = Asking::kNothing;
  for (const wire::MessageView& message : wire::MessageRange(frames)) {
    if (message.attributes.empty()) continue;
    const auto attributes = wire::decode_attributes(message.attributes);
    if (!attributes->sender.empty()) return Asking::kForbidden;
    if (!attributes->wants_reply) continue;
    if (!attributes->correlation) return Asking::kForbidden;
    asking = Asking::kReplies;
  }
  return asking;
}

// Nothing when the message is no request.
std::optional<CorrelationId> request_id(const wire::MessageView& message) {
  const auto attributes = wire::decode_attributes(message.attributes);
  return attributes->wants_reply ? attributes->correlation : std::nullopt;
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

bool is_there(DeliveryMode mode) {
  switch (mode) {
    case DeliveryMode::kReliable:
      return true;
    case DeliveryMode::kUnordered:
      return false;
    case DeliveryMode::kDatagram:
      return false;
    case DeliveryMode::kLatest:
      return true;
  }
  return false;
}

// spec: PUBLISH-9
bool may_publish(const HubConfig& config, const wire::Publish& publish) {
  if (publish.mode == DeliveryMode::kReliable) return true;
  return is_there(publish.mode) && publish.mode == config.properties_of(publish.channel).mode;
}

}  // namespace

Publishing::Publishing(HubState& state, const Sessions& sessions, Subscribing& subscribing,
                       Requests& requests)
    : state_(state),
      sessions_(sessions),
      subscribing_(subscribing),
      requests_(requests),
      replies_(&endpoints_[std::string(wire::kReplyChannel)]) {
  state_.prng.fill(own_id_.bytes);
}

void Publishing::handle_channel(const ChannelName& channel, std::size_t handler) {
  endpoints_[std::string(channel.text())].handler = handler;
}

void Publishing::open(Peer& peer, const session::PublicationOpened& opened) {
  const wire::Publish& publish = opened.publish;
  const auto [entry, is_new] = peer.publications.try_emplace(publish.publication.value());
  // spec: STREAM-7
  if (!is_new) {
    return peer.session.core().fail({ErrorCode::kFrameUnexpected, "a publication twice"});
  }
  Publication& publication = entry->second;
  publication.name = publish.channel.text();
  const auto endpoint = endpoints_.find(publish.channel.text());
  if (publish.channel.reserved() && publish.channel.text() != wire::kReplyChannel) {
    publication.refused = ErrorCode::kNotAuthorised;  // spec: NAME-3
  } else if (publish.channel.text().size() > state_.config.limits.channel_name_size_max) {
    publication.refused = ErrorCode::kNameInvalid;
  } else if (!may_publish(state_.config, publish)) {
    publication.refused = ErrorCode::kModeUnsupported;
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
    publication.producers = &turned_away_;
  }
  if (publication.producers != nullptr) return join(peer, publication, publish);
  peer.session.accepted({.publication = publish.publication,
                         .first = publish.next,
                         .count = 0,
                         .first_offset = {},
                         .duplicate = false},
                        0, 0, state_.now);
}

// spec: PUBLISH-3, PUBLISH-7
void Publishing::join(Peer& peer, Publication& publication, const wire::Publish& publish) {
  const bool turned_away = publication.producers == &turned_away_;
  const std::string name = turned_away ? turned_away_name(peer, publish) : peer.identity;
  if (Producer* const known = turned_away ? turned_away_.find(publish.producer, name) : nullptr) {
    known->next = std::max(known->next, publish.next);  // there was a channel in between
  }
  const auto joined = publication.producers->join(publish, name);
  if (!joined) {
    leave(publication);
    publication = {};
    return peer.session.core().fail(joined.error());
  }
  publication.producer = *joined;
  publication.joined = true;
  if (!turned_away) recall_refusals(peer, publication, publish);
  peer.session.accepted({.publication = publish.publication,
                         .first = (*publication.producers)[*joined].next,
                         .count = 0,
                         .first_offset = {},
                         .duplicate = false},
                        0, 0, state_.now);
}

// There was no room for the channel, and now there is.
void Publishing::recall_refusals(const Peer& peer, const Publication& publication,
                                 const wire::Publish& publish) {
  const Producer* const before =
      turned_away_.find(publish.producer, turned_away_name(peer, publish));
  Producer& producer = (*publication.producers)[publication.producer];
  if (before == nullptr || before->epoch != producer.epoch || before->next <= producer.next) return;
  producer.refusals.add({producer.next, before->next, ErrorCode::kChannelLimit}, state_.refusals);
  producer.next = before->next;
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
  state_.counters.messages_in += given.count;
  state_.counters.bytes_in += given.frames.size();
  if (publication.refused != ErrorCode::kNone) {
    reject(peer, publication, given, publication.refused);
    return std::nullopt;
  }
  const session::PublicationMessages fresh = acknowledge_known(peer, publication, given);
  if (fresh.count == 0) return std::nullopt;
  // What was stored before stays accepted, nothing else will be. spec: PUBLISH-3
  if ((*publication.producers)[publication.producer].fenced) {
    reject(peer, publication, fresh, ErrorCode::kFenced);
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

std::optional<HubOutput> Publishing::take(Peer& peer, const Fresh& fresh) {
  Publication& publication = *fresh.publication;
  if (publication.endpoint != nullptr) return hand_over(peer, publication, fresh.messages);
  if (fresh.has_requests || publication.channel->values() != nullptr) {
    store_each(peer, publication, fresh.messages);
  } else {
    static_cast<void>(store(peer, publication, fresh.messages));
  }
  return std::nullopt;
}

// spec: PUBLISH-1, PUBLISH-2
session::PublicationMessages Publishing::acknowledge_known(
    Peer& peer, const Publication& publication, const session::PublicationMessages& given) {
  const Sequence next = (*publication.producers)[publication.producer].next;
  session::PublicationMessages fresh = given;
  if (given.first >= next || base::planted(base::PlantedBug::kDuplicateIsStored)) return fresh;
  const std::uint64_t known = std::min<std::uint64_t>(next - given.first, given.count);
  const std::size_t size = size_of(given.frames, known);
  for (std::uint64_t rest = known; rest > 0;) {
    const KnownFate past = fate_of(publication, fresh.first, rest);
    if (past.code != ErrorCode::kNone) {
      peer.session.rejected(given.publication, fresh.first, fresh.first + past.count, past.code,
                            advice(past.code));
    } else {
      peer.session.accepted({.publication = given.publication,
                             .first = fresh.first,
                             .count = past.count,
                             .first_offset = past.offset,
                             .duplicate = true,
                             .forgotten = past.forgotten},
                            0, given.nonce, state_.now);
    }
    fresh.first += past.count;
    rest -= past.count;
  }
  state_.counters.duplicates += known;
  peer.session.core().consumed(given.stream, size);
  fresh.count -= known;
  fresh.frames = fresh.frames.subspan(size);
  return fresh;
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
  if (!lost && !channel.append(batch, state_.now)) {
    reject(peer, publication, fresh, ErrorCode::kOverloaded);
    return false;
  }
  if (planted_at(base::PlantedBug::kRejectedIsStored, offset)) {
    reject(peer, publication, fresh, ErrorCode::kOverloaded);
    return false;
  }
  channel.traffic().accepted += fresh.count;
  channel.traffic().accepted_bytes += fresh.frames.size();
  (*publication.producers)[publication.producer].next = fresh.first + fresh.count;
  peer.session.accepted({.publication = fresh.publication,
                         .first = fresh.first,
                         .count = fresh.count,
                         .first_offset = offset,
                         .duplicate = false},
                        fresh.frames.size(), fresh.nonce, state_.now);
  const bool credited = !planted_at(base::PlantedBug::kCreditIsLost, offset);
  if (credited) {
    channel.owe({peer.key, fresh.stream, fresh.frames.size(), channel.end_position()});
  }
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
  if (channel.readers().empty() && !sessions_.subscribed(channel.name())) {
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
  (*publication.producers)[publication.producer].next = fresh.first + fresh.count;
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
  (*publication.producers)[publication.producer].next = given.first + given.count;
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
    Producer& producer = (*publication.producers)[publication.producer];
    const Sequence end = given.first + given.count;
    if (end > producer.next) {
      producer.refusals.add({std::max(given.first, producer.next), end, code}, state_.refusals);
      producer.next = end;
    }
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
  Sequence next = skipped.to;
  if (found->second.producers != nullptr) {
    Producer& producer = (*found->second.producers)[found->second.producer];
    if (producer.fenced) return;
    if (skipped.to > producer.next) {
      const Sequence from = std::max(producer.next, skipped.from);
      state_.counters.skipped_by[static_cast<std::size_t>(skipped.reason)] += skipped.to - from;
      if (skipped.reason == GapReason::kExpired) {
        producer.refusals.add({from, skipped.to, ErrorCode::kExpired}, state_.refusals);
      } else if (skipped.reason == GapReason::kSuperseded) {
        producer.refusals.add({from, skipped.to, ErrorCode::kSuperseded}, state_.refusals);
      }
      producer.next = skipped.to;
    }
    next = producer.next;
  }
  peer.session.accepted({.publication = skipped.publication,
                         .first = next,
                         .count = 0,
                         .first_offset = {},
                         .duplicate = false},
                        0, 0, state_.now);
}

// spec: FATE-3
void Publishing::tell_fates(Peer& peer, wire::Fate question) {
  const auto endpoint = endpoints_.find(question.channel.text());
  const Channel* const channel = subscribing_.find(question.channel.text());
  const Producers nobody;
  const Producers& producers = endpoint != endpoints_.end() ? endpoint->second.producers
                               : channel != nullptr         ? channel->producers()
                                                            : nobody;
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
  return known->next;
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
  // A client would get no credit; the server itself is told so, when memory is at stake.
  if (channel->full()) return ErrorCode::kOverloaded;
  const base::ProducerNumber number = channel->own_producer(own_id_, kServerIdentity);
  Producer& producer = channel->producers()[number];
  std::array<std::byte, wire::kMessageHeaderSizeMax> header;
  const std::size_t size = wire::encode_message_header(header, type, attributes, payload.size());
  const Batch batch{.producer = number,
                    .first = producer.next,
                    .count = 1,
                    .header = BytesView(header).first(size),
                    .body = payload,
                    .has_attributes = false};
  const ErrorCode code = append_own(*channel, batch, attributes);
  if (code == ErrorCode::kNone) {
    producer.next += 1;
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
