// Subscriptions: where they start, what wakes them, what becomes of those that fall behind, and how
// they end. One thread.
#pragma once

#include <deque>
#include <string_view>
#include <vector>

#include "hub/channel_table.h"
#include "hub/hub_state.h"
#include "hub/subject_index.h"
#include "wire/consumed.h"
#include "wire/subscribe.h"

namespace orzatty::hub {

class Subscribing {
 public:
  // Both outlive this.
  Subscribing(HubState& state, ChannelTable& channels) : state_(state), channels_(channels) {}

  // What one turn may look at for wildcards: each channel's name counts once, and one that matches
  // as many times as its start may cost. A larger table is looked through in several turns.
  static constexpr std::size_t kTurnWork = 4096;
  static constexpr std::size_t kStartWork = 16;
  // Positions of a peer's wildcards that wait for their turn: 20 MB.
  static constexpr std::size_t kWaitingPositionsMax = 256 * 1024;

  void subscribe(Peer& peer, wire::Subscribe request);
  // A new turn: goes on with what the last one left.
  void look_on();
  // What the subscription would ask for on another connection of its session, by what the client
  // has said that it handled.
  [[nodiscard]] wire::Subscribe request_to_go_on(const Delivery& delivery) const;
  [[nodiscard]] bool looking() const { return !scans_.empty(); }
  void unsubscribe(Peer& peer, SubscriptionId id);
  void consumed(Peer& peer, const wire::Consumed& consumed);
  // A peer is about to go, with all of its subscriptions.
  void forget(Peer& peer);

  [[nodiscard]] Channel* find(std::string_view channel) const { return channels_.find(channel); }
  // The channel of that name, announced to who waits for it when it is new; nullptr when there are
  // as many as there may be.
  [[nodiscard]] Channel* find_or_make(const ChannelName& name);
  // The channel's log got longer.
  void wake(Channel& channel);
  // The log got longer, a reader moved on or left, or time went by: pays what publishers are owed,
  // lets go of what need not be kept, and ends who was overtaken where the policy says so. The
  // channel may be gone afterwards.
  void tend(Channel& channel);
  // Packets of the peer were built.
  void written(Peer& peer);

 private:
  // A wildcard's way through the names. Where a subscription begins is settled when it is
  // confirmed.
  struct Scan {
    PeerKey peer;
    wire::Subscribe request;  // positions in the order of names
  };
  void subscribe_to_one(Peer& peer, const wire::Subscribe& request);
  void subscribe_to_many(Peer& peer, wire::Subscribe request);
  Delivery& add(Peer& peer, const wire::Subscribe& request);
  void use_up_work();
  // False when there is more to look at.
  [[nodiscard]] bool look_on(const Scan& scan);
  void stop_looking(Peer& peer, const Delivery& delivery);
  void attach(Delivery& delivery, Channel& channel, Offset start);
  void tend_one(Channel& channel);
  void announce(Channel& channel);
  void end(Peer& peer, SubscriptionId id, ErrorCode code, std::string_view text);
  void detach(Peer& peer, Delivery& delivery);
  void pay_debts(Channel& channel);
  void tell_slow(ChannelReader& reader);
  void settle_overtaken(ChannelReader& reader);

  HubState& state_;
  ChannelTable& channels_;
  SubjectIndex wildcards_;
  base::Ring<Channel*> untended_;  // whom tend() was called for while it was at work
  bool tending_ = false;
  std::deque<Scan> scans_;
  std::size_t work_left_ = kTurnWork;
  std::vector<ChannelReader*> overtaken_;  // reused
};

}  // namespace orzatty::hub
