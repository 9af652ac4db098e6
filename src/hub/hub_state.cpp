#include "hub/hub_state.h"

#include <utility>

namespace orzatty::hub {

PeerKey HubState::open_peer(Instant at) {
  const PeerKey key = peers.insert_with(
      [&](PeerKey made) { return std::make_unique<Peer>(made, config.limits, prng.next(), at); });
  if (slots_.size() <= key.slot) slots_.resize(key.slot + 1);
  slots_[key.slot] = key;
  set_timer(*find(key));
  return key;
}

void HubState::attend(Peer& peer) {
  mark_ready(peer);
  if (std::exchange(peer.lined_up, true)) return;
  attention.push_back(peer.key);
}

void HubState::mark_ready(Peer& peer) {
  if (std::exchange(peer.ready, true)) return;
  ready.push_back(peer.key);
}

Peer* HubState::pop_due(Instant at) {
  while (const auto slot = timers.pop_due(at)) {
    if (Peer* const peer = find(slots_[*slot])) return peer;
  }
  return nullptr;
}

}  // namespace orzatty::hub
