#include "hub/lag.h"

#include <algorithm>
#include <string>

#include "hub/channel.h"
#include "hub/hub_state.h"

namespace orzatty::hub {

namespace {

struct Behind {
  const Peer* peer;
  const ChannelReader* reader;
  std::uint64_t messages = 0;
};

// Of equals the older peer and subscription, so that the same history gives the same answer.
bool slower(const Behind& left, const Behind& right) {
  if (left.messages != right.messages) return left.messages > right.messages;
  if (left.peer->key.slot != right.peer->key.slot) {
    return left.peer->key.slot < right.peer->key.slot;
  }
  const Delivery& left_delivery = left.reader->delivery();
  const Delivery& right_delivery = right.reader->delivery();
  if (left_delivery.id() != right_delivery.id()) return left_delivery.id() < right_delivery.id();
  return left.reader->alias() < right.reader->alias();
}

// Keeps the slowest at hand in a heap whose front is the first to go.
void keep_slowest(std::vector<Behind>& slowest, std::size_t count_max, const Behind& candidate) {
  if (slowest.size() == count_max) {
    if (!slower(candidate, slowest.front())) return;
    std::ranges::pop_heap(slowest, slower);
    slowest.pop_back();
  }
  slowest.push_back(candidate);
  std::ranges::push_heap(slowest, slower);
}

}  // namespace

std::vector<SubscriptionLag> slowest_subscriptions(const HubState& state, std::size_t count_max) {
  std::vector<Behind> slowest;
  state.peers.for_each([&](PeerKey, const Peer& peer) {
    for (const auto& [id, delivery] : peer.deliveries()) {
      for (const auto& reader : delivery->readers()) {
        const std::uint64_t lag = reader->channel().index().next_offset() - reader->consumed;
        if (lag > 0 && count_max > 0) keep_slowest(slowest, count_max, {&peer, reader.get(), lag});
      }
    }
  });
  std::ranges::sort_heap(slowest, slower);
  std::vector<SubscriptionLag> lags;
  lags.reserve(slowest.size());
  for (const Behind& behind : slowest) {
    lags.push_back({behind.peer->identity, std::string(behind.reader->channel().name().text()),
                    behind.reader->delivery().id(), behind.messages});
  }
  return lags;
}

}  // namespace orzatty::hub
