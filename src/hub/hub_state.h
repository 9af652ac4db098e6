// What the parts of the hub share: its configuration, who is connected, who needs attention, what
// is to be told, and the time. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/prng.h"
#include "base/ring.h"
#include "base/segment.h"
#include "base/slab.h"
#include "base/timer_queue.h"
#include "hub/hub.h"
#include "hub/peer.h"
#include "hub/refusals.h"

namespace orzatty::hub {

class HubState {
 public:
  HubState(HubConfig given, std::uint64_t seed)
      : config(std::move(given)),
        prng(seed),
        pool(config.limits.hub_size_max, config.limits.segment_keep_max),
        refusals(config.limits.hub_size_max) {
    counters.traffic.resize(config.rules.size() + 1);  // and never again: channels point there
  }

  PeerKey open_peer(Instant now);
  [[nodiscard]] Peer* find(PeerKey key) const { return peers.find(key); }
  // Its session may have outputs.
  void attend(Peer& peer);
  // It may have something to send or to credit.
  void mark_ready(Peer& peer);
  void set_timer(Peer& peer) { timers.set(peer.key.slot, peer.session.next_timeout()); }
  [[nodiscard]] Peer* pop_due(Instant now);

  HubConfig config;
  base::Prng prng;
  base::SegmentPool pool;
  Refusals::Budget refusals;
  base::Slab<Peer> peers;
  base::TimerQueue timers;  // by slot of the peer
  base::Ring<HubOutput> outputs;
  base::Ring<PeerKey> attention;
  std::vector<PeerKey> ready;
  HubCounters counters;
  Instant now;  // of what is being handled

 private:
  std::vector<PeerKey> slots_;
};

}  // namespace orzatty::hub
