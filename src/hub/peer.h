// One connected peer: its session, what it publishes, what it subscribed to, what is sent to it
// alone. The hub owns it and gives it meaning. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/slab.h"
#include "hub/channel.h"
#include "hub/delivery.h"
#include "hub/direct_log.h"
#include "session/server_session.h"

namespace orzatty::hub {

// A stream on which the peer publishes.
struct Publication {
  Channel* channel = nullptr;            // nullptr: an endpoint, or refused
  std::optional<std::size_t> handler;    // an endpoint's
  base::ProducerNumber producer;         // in the channel
  ProducerEpoch epoch;
  Sequence next;                         // an endpoint's own count
  std::string name;
  ErrorCode refused = ErrorCode::kNone;  // why nothing of it is taken
};

class Peer final : public session::Refill {
 public:
  Peer(base::SlabKey own_key, const Limits& limits, std::uint64_t seed, Instant now)
      : key(own_key), session(limits, seed, now) {}

  // spec: CREDIT-4
  void refill(session::StreamKey stream, session::SendQueue& queue) override;

  Delivery& add_delivery(SubscriptionId id, ChannelPattern pattern);
  void remove_delivery(SubscriptionId id);
  [[nodiscard]] Delivery* find_delivery(SubscriptionId id);
  [[nodiscard]] std::size_t subscription_count() const { return deliveries_.size(); }
  template <class Visit>
  void for_each_reader(Visit visit) {
    for (const auto& [id, delivery] : deliveries_) {
      for (const auto& reader : delivery->readers()) visit(*reader);
    }
  }
  void note_read(Channel& channel) {
    if (channels_read.empty() || channels_read.back() != &channel) channels_read.push_back(&channel);
  }
  // The log of that name, opened when it is new.
  DirectLog& direct_log(const ChannelName& channel, std::size_t size_max);

  const base::SlabKey key;
  std::string identity;  // empty before authentication
  std::vector<std::uint64_t> versions;  // that its HELLO offers
  bool ready = false;    // stands in the hub's list
  bool lined_up = false;  // its session has something to say to the hub
  DeliveryCounters counters;
  std::vector<Channel*> channels_read;  // since the hub looked last
  std::vector<std::pair<std::string, SlowPolicy>> slow;  // channels it fell behind in, newly
  std::optional<std::pair<SubscriptionId, ChannelReader*>> given_up;  // by a policy
  std::map<std::uint64_t, Publication> publications;                  // by id

 private:
  // What a stream carries, by key.
  struct Source {
    Delivery* delivery = nullptr;
    DirectLog* direct = nullptr;
  };
  void bind(session::StreamKey stream, const Source& source);

  std::vector<Source> sources_;
  std::map<std::uint64_t, std::unique_ptr<Delivery>> deliveries_;                  // by id
  std::map<std::string, std::unique_ptr<DirectLog>, std::less<>> direct_logs_;

 public:
  // Last, so that it gives up its pins before the logs go.
  session::ServerSession session;
};

}  // namespace orzatty::hub
