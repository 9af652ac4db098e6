#include "hub/publications.h"

#include "hub/datagram_publishing.h"
#include "hub/fates.h"
#include "wire/direct.h"

namespace orzatty::hub {

namespace {

// Sequences of a producer are counted per channel.
std::string turned_away_name(const Peer& peer, const wire::Publish& publish) {
  return peer.identity + '\0' + std::string(publish.channel.text());
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

Publications::Publications(HubState& state, Subscribing& subscribing)
    : state_(state),
      subscribing_(subscribing),
      replies_(&endpoints_.try_emplace(std::string(wire::kReplyChannel), state.pool).first->second),
      turned_away_(state.pool) {}

void Publications::handle_channel(const ChannelName& channel, std::size_t handler) {
  endpoints_.try_emplace(std::string(channel.text()), state_.pool).first->second.handler = handler;
}

void Publications::open(Peer& peer, const session::PublicationOpened& opened) {
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

void Publications::answer(Peer& peer, PublicationId publication, Sequence next) {
  peer.session.accepted({.publication = publication,
                         .first = next,
                         .count = 0,
                         .first_offset = {},
                         .duplicate = false},
                        0, 0, state_.now);
}

// A stream that joins what another stream of the same publication began. spec: STREAM-7, STREAM-11
bool Publications::is_same(const Publication& publication, const wire::Publish& publish) {
  if (!publish.passing && publication.has_own_stream) return false;
  if (publication.keeps_order || publish.mode != DeliveryMode::kUnordered) return false;
  if (publication.name != publish.channel.text()) return false;
  if (!publication.joined) return true;
  const Producer& producer = (*publication.producers)[publication.producer];
  return producer.id == publish.producer && producer.epoch == publish.epoch;
}

void Publications::begin(Peer& peer, Publication& publication, const wire::Publish& publish) {
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
void Publications::join(Peer& peer, Publication& publication, const wire::Publish& publish) {
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
void Publications::turn_away(Publication& publication) {
  leave(publication);
  publication.channel = nullptr;
  publication.endpoint = nullptr;
  publication.producers = nullptr;
  publication.refused = ErrorCode::kModeUnsupported;
}

// There was no room for the channel, and now there is.
void Publications::recall_refusals(Peer& peer, const Publication& publication,
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
std::uint64_t Publications::conclude(Producer& producer, Sequence from, Sequence to,
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

void Publications::leave(Publication& publication) {
  if (publication.joined) publication.producers->leave(publication.producer);
  if (publication.channel == nullptr) return;
  --publication.channel->publication_count;
  subscribing_.tend(*publication.channel);
}

void Publications::close(Peer& peer, PublicationId id) {
  const auto found = peer.publications.find(id.value());
  if (found == peer.publications.end()) return;
  leave(found->second);
  peer.publications.erase(found);
}

void Publications::forget(Peer& peer) {
  for (auto& [id, publication] : peer.publications) leave(publication);
  peer.publications.clear();
}

// spec: PUBLISH-11
void Publications::check_scatter(Peer& peer, Producer& producer) {
  const std::size_t count = producer.known.above().size();
  if (count <= kScatterFree) return;
  if (count > kScatterMax) {
    peer.session.core().fail({ErrorCode::kLimitExceeded, "too many holes in a publication"});
  } else if (!producer.charge.resize(producer.cost())) {
    peer.session.core().fail({ErrorCode::kOverloaded, "no memory for holes in a publication"});
  }
}

// spec: FATE-3
void Publications::tell_fates(Peer& peer, wire::Fate question) {
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

std::optional<Sequence> Publications::next_of(const ProducerId& producer,
                                              const ChannelName& channel,
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

}  // namespace orzatty::hub
