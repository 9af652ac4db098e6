#include "hub/datagram_publishing.h"

#include "base/planted.h"
#include "hub/asking.h"
#include "hub/channel.h"
#include "hub/verdicts.h"

namespace orzatty::hub {

// spec: DATAGRAM-4
std::optional<HubOutput> DatagramPublishing::take(Peer& peer,
                                                  const wire::PublishDatagram& datagram) {
  if (peer.session.core().closed()) return std::nullopt;
  Publication* const publication = find(peer, datagram);
  if (publication == nullptr) {
    ++state_.counters.datagrams_dropped;
    return std::nullopt;
  }
  if (datagram.has_attributes && asking_of(datagram.frames) != Asking::kNothing) {
    peer.session.core().fail({ErrorCode::kFrameMalformed, "a datagram that wants a reply"});
    return std::nullopt;
  }
  if (publication->endpoint != nullptr) return hand_over(peer, *publication, datagram);
  store(*publication, datagram);
  return std::nullopt;
}

// What came late, after its publication or before it, is dropped.
Publication* DatagramPublishing::find(Peer& peer, const wire::PublishDatagram& datagram) {
  const auto found = peer.publications.find(datagram.publication.value());
  if (found == peer.publications.end()) return nullptr;
  Publication& publication = found->second;
  if (!publication.as_datagrams || publication.refused != ErrorCode::kNone) return nullptr;
  const Producer& producer = (*publication.producers)[publication.producer];
  if (producer.fenced) {
    publication.refused = ErrorCode::kFenced;
    refuse(peer, datagram.publication, publication, producer.known.next());
    return nullptr;
  }
  const bool late = datagram.first < producer.known.next();
  return late && !base::planted(base::PlantedBug::kLateIsStored) ? nullptr : &publication;
}

// spec: DATAGRAM-5
void DatagramPublishing::refuse(Peer& peer, PublicationId id, const Publication& publication,
                                Sequence next) {
  peer.session.rejected(id, next, Sequence(wire::kVarintMax), publication.refused,
                        advice(publication.refused));
}

HubOutput DatagramPublishing::hand_over(const Peer& peer, const Publication& publication,
                                        const wire::PublishDatagram& datagram) {
  count_taken(publication, datagram);
  state_.counters.handed_over += datagram.count;
  return HandlerMessages{.peer = peer.key,
                         .handler = publication.endpoint->handler,
                         .channel = publication.name,
                         .publisher = peer.identity,
                         .first = datagram.first,
                         .count = datagram.count,
                         .frames = datagram.frames};
}

void DatagramPublishing::store(const Publication& publication,
                               const wire::PublishDatagram& datagram) {
  Channel& channel = *publication.channel;
  const Batch batch{.producer = publication.producer,
                    .first = datagram.first,
                    .count = datagram.count,
                    .header = {},
                    .body = datagram.frames,
                    .has_attributes = datagram.has_attributes};
  if (channel.append(batch, state_.now)) {
    count_taken(publication, datagram);
    channel.traffic().accepted += datagram.count;
    channel.traffic().accepted_bytes += datagram.frames.size();
    subscribing_.wake(channel);
  } else {
    ++state_.counters.datagrams_dropped;
  }
  subscribing_.tend(channel);
}

// Dropped ones are counted apart: what was received is accepted, handed over, a duplicate or rejected.
void DatagramPublishing::count_taken(const Publication& publication,
                                     const wire::PublishDatagram& datagram) {
  Producer& producer = (*publication.producers)[publication.producer];
  producer.lossy |= datagram.first > producer.known.next();
  producer.known.advance(datagram.first + datagram.count);
  state_.counters.messages_in += datagram.count;
  state_.counters.bytes_in += datagram.frames.size();
}

}  // namespace orzatty::hub
