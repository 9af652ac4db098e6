// What peers publish in mode datagram: taken as it comes, and answered with nothing but a refusal of all
// of it. One thread.
#pragma once

#include <optional>

#include "hub/hub.h"
#include "hub/hub_state.h"
#include "hub/peer.h"
#include "hub/publication.h"
#include "hub/subscribing.h"
#include "wire/datagram.h"

namespace orzatty::hub {

class DatagramPublishing {
 public:
  // Both outlive this.
  DatagramPublishing(HubState& state, Subscribing& subscribing)
      : state_(state), subscribing_(subscribing) {}

  // Messages that a handler is to be given, if they are for one.
  [[nodiscard]] std::optional<HubOutput> take(Peer& peer, const wire::PublishDatagram& datagram);
  // Says why nothing of a publication is taken. `next` is the sequence that is expected: the publisher
  // has given away what is below it.
  static void refuse(Peer& peer, PublicationId id, const Publication& publication, Sequence next);

 private:
  // Whose it is; nothing when it is not to be taken.
  [[nodiscard]] static Publication* find(Peer& peer, const wire::PublishDatagram& datagram);
  [[nodiscard]] HubOutput hand_over(const Peer& peer, const Publication& publication,
                                    const wire::PublishDatagram& datagram);
  void store(const Publication& publication, const wire::PublishDatagram& datagram);
  void count_taken(const Publication& publication, const wire::PublishDatagram& datagram);

  HubState& state_;
  Subscribing& subscribing_;
};

}  // namespace orzatty::hub
