#include "client/subscriptions.h"

#include <set>

#include "wire/message.h"

namespace orzatty::client {

namespace {

// The bytes of the first `count` message frames.
std::size_t size_of(BytesView frames, std::uint64_t count) {
  std::size_t size = 0;
  auto message = wire::MessageRange(frames).begin();
  for (; count > 0; --count, ++message) size += message->frame_size;
  return size;
}

BytesView behind(BytesView frames, std::uint64_t count) {
  return frames.subspan(size_of(frames, count));
}

}  // namespace

SubscriptionId Subscriptions::add(const ChannelPattern& pattern, const StartPosition& start) {
  const SubscriptionId id(next_id_++);
  auto& made = items_[id.value()];
  made = std::make_unique<Subscription>(id, pattern, start, limits_);
  if (session_ != nullptr) session_->subscribe(made->request());
  return id;
}

// It is kept until the server has ended it: what was handed out borrows from it.
void Subscriptions::remove(SubscriptionId id, Outputs& outputs) {
  const auto found = items_.find(id.value());
  if (found == items_.end() || std::exchange(found->second->ended, true)) return;
  if (session_ != nullptr) {
    session_->unsubscribe(id);
  } else {
    items_.erase(found);
    outputs.push_back(SubscriptionEnded{id, ErrorCode::kNone, {}});
  }
}

void Subscriptions::open(session::ClientSession& session) {
  session_ = &session;
  for (const auto& [id, subscription] : items_) session.subscribe(subscription->request());
}

// spec: RESUME-3
Subscriptions::Result Subscriptions::resume(session::ClientSession& session,
                                            const std::vector<SubscriptionId>& listed) {
  session_ = &session;
  std::set<std::uint64_t> going_on;
  for (const SubscriptionId id : listed) {
    const auto known = find(id);
    if (!known) return std::unexpected(known.error());
    if (!going_on.insert(id.value()).second) continue;
    if (*known == nullptr) session.unsubscribe(id);  // it ended while nobody could be told
  }
  // Those that never got there, or that the server ended without our having heard why.
  for (const auto& [id, subscription] : items_) {
    if (!going_on.contains(id)) session.subscribe(subscription->request());
  }
  return {};
}

void Subscriptions::tell(std::vector<wire::HelloPosition>& into, std::size_t size_max) {
  for (const auto& [id, subscription] : items_) subscription->tell(into, size_max);
}

void Subscriptions::lose(Outputs& outputs) {
  session_ = nullptr;
  for (auto item = items_.begin(); item != items_.end();) {
    if (item->second->ended) {
      outputs.push_back(SubscriptionEnded{SubscriptionId(item->first), ErrorCode::kNone, {}});
      item = items_.erase(item);
    } else {
      item->second->lose();
      ++item;
    }
  }
}

bool Subscriptions::wants(SubscriptionId id) const {
  const auto found = items_.find(id.value());
  return found != items_.end() && !found->second->ended;
}

std::expected<Subscription*, ProtocolError> Subscriptions::find(SubscriptionId id) {
  const auto found = items_.find(id.value());
  if (found != items_.end()) return found->second.get();
  if (id.value() < next_id_) return nullptr;
  return std::unexpected(ProtocolError{ErrorCode::kAliasUnknown, "a subscription"});
}

Subscriptions::Result Subscriptions::subscribed(const session::SubscribedReceived& subscribed,
                                                Outputs& outputs) {
  const auto known = find(subscribed.subscription);
  if (!known) return std::unexpected(known.error());
  if (*known == nullptr) return {};
  (*known)->confirm(subscribed.channel_count);
  if ((*known)->become_ready()) outputs.push_back(SubscriptionReady{subscribed.subscription});
  return {};
}

Subscriptions::Result Subscriptions::ended(const wire::Ended& ended, Outputs& outputs) {
  const auto known = find(ended.subscription);
  if (!known) return std::unexpected(known.error());
  if (*known != nullptr) {
    items_.erase(ended.subscription.value());
    outputs.push_back(SubscriptionEnded{ended.subscription, ended.code, ended.text});
  }
  return {};
}

Subscriptions::Result Subscriptions::introduced(const session::ChannelIntroduced& introduced,
                                                Outputs& outputs) {
  const auto known = find(introduced.subscription);
  if (!known) return std::unexpected(known.error());
  if (*known == nullptr) return {};
  const auto meaning = (*known)->introduce(introduced.alias);
  if (!meaning) return std::unexpected(meaning.error());
  const std::string channel(introduced.alias.channel.text());
  if (meaning->reset) outputs.push_back(ChannelReset{introduced.subscription, channel});
  for (const Gap& gap : meaning->missed) {
    outputs.push_back(Missed{introduced.subscription, channel, gap});
  }
  if ((*known)->become_ready()) outputs.push_back(SubscriptionReady{introduced.subscription});
  return {};
}

Subscriptions::Result Subscriptions::introduced(const session::ProducerIntroduced& introduced) {
  const auto known = find(introduced.subscription);
  if (!known) return std::unexpected(known.error());
  return *known == nullptr ? Result() : (*known)->introduce(introduced.producer);
}

Subscriptions::Result Subscriptions::missed(const session::DeliveryGap& gap, Outputs& outputs) {
  const auto known = find(gap.subscription);
  if (!known) return std::unexpected(known.error());
  if (*known == nullptr || (*known)->ended) return {};
  if (gap.passing != nullptr) return missed_passing(**known, gap, outputs);
  const auto advanced = (*known)->advance(gap.channel, gap.gap.from, gap.gap.to);
  if (!advanced) return std::unexpected(advanced.error());
  const Gap news{gap.gap.from + advanced->known, gap.gap.to, gap.gap.reason};
  tell_missed(gap.subscription, *advanced, news, outputs);
  return {};
}

Subscriptions::Result Subscriptions::missed_passing(Subscription& subscription,
                                                    const session::DeliveryGap& gap,
                                                    Outputs& outputs) {
  for (Offset from = gap.gap.from; from < gap.gap.to;) {
    const auto arrived = subscription.arrive(*gap.passing->alias, from, gap.gap.to);
    if (!arrived) return std::unexpected(arrived.error());
    const std::string channel(arrived->channel);
    if (arrived->reset) {
      outputs.push_back(ChannelReset{gap.subscription, channel});
    } else if (!arrived->known) {
      outputs.push_back(
          Missed{gap.subscription, channel, Gap{from, from + arrived->count, gap.gap.reason}});
    }
    from += arrived->count;
  }
  return {};
}

std::optional<Offset> Subscriptions::position(const session::DeliveryMessages& messages) {
  if (messages.passing == nullptr) return messages.first + messages.count;
  const auto known = find(messages.subscription);
  if (!known || *known == nullptr) return std::nullopt;
  return (*known)->position(messages.passing->alias->channel);
}

std::expected<std::optional<Delivered>, ProtocolError> Subscriptions::arrived(
    session::DeliveryMessages& rest, Outputs& outputs) {
  const auto known = find(rest.subscription);
  if (!known) return std::unexpected(known.error());
  if (*known == nullptr || (*known)->ended) rest.count = 0;
  while (rest.count > 0) {
    const auto arrived =
        (*known)->arrive(*rest.passing->alias, rest.first, rest.first + rest.count);
    if (!arrived) return std::unexpected(arrived.error());
    if (arrived->reset) {  // which is told first
      outputs.push_back(ChannelReset{rest.subscription, std::string(arrived->channel)});
      return std::nullopt;
    }
    const BytesView frames = rest.frames.first(size_of(rest.frames, arrived->count));
    const Delivered delivered{.subscription = rest.subscription,
                              .channel = arrived->channel,
                              .publisher = *rest.passing->publisher,
                              .first = rest.first,
                              .count = arrived->count,
                              .frames = frames};
    rest.first += arrived->count;
    rest.count -= arrived->count;
    rest.frames = rest.frames.subspan(frames.size());
    if (!arrived->known) return delivered;
  }
  return std::nullopt;
}

// What is missing before it, and the gap itself: one, if they are alike.
void Subscriptions::tell_missed(SubscriptionId id, const Subscription::Advanced& advanced, Gap gap,
                                Outputs& outputs) {
  if (!advanced.lost && gap.from >= gap.to) return;
  const std::string channel(advanced.channel);
  if (advanced.lost && gap.reason == GapReason::kLost) {
    gap.from = advanced.lost->from;
  } else if (advanced.lost) {
    outputs.push_back(Missed{id, channel, *advanced.lost});
  }
  if (gap.from < gap.to) outputs.push_back(Missed{id, channel, gap});
}

std::expected<std::optional<Delivered>, ProtocolError> Subscriptions::delivered(
    const session::DeliveryMessages& messages) {
  const auto known = find(messages.subscription);
  if (!known) return std::unexpected(known.error());
  if (*known == nullptr || (*known)->ended) return std::nullopt;
  const auto advanced =
      (*known)->advance(messages.channel, messages.first, messages.first + messages.count);
  if (!advanced) return std::unexpected(advanced.error());
  if (advanced->known == messages.count) return std::nullopt;
  return Delivered{.subscription = messages.subscription,
                   .channel = advanced->channel,
                   .publisher = (*known)->publisher(messages.producer),
                   .first = messages.first + advanced->known,
                   .count = messages.count - advanced->known,
                   .frames = behind(messages.frames, advanced->known)};
}

// Late ones are dropped. spec: DATAGRAM-7
std::expected<std::optional<Delivered>, ProtocolError> Subscriptions::delivered(
    const wire::DeliverDatagram& datagram, Outputs& outputs) {
  const auto known = find(datagram.subscription);
  if (!known) return std::unexpected(known.error());
  if (*known == nullptr || (*known)->ended) return std::nullopt;
  Subscription& subscription = **known;
  const Offset to = datagram.first + datagram.count;
  if (!subscription.knows(datagram.channel)) {
    subscription.drop_early(datagram.channel, to);
    return std::nullopt;
  }
  const auto advanced = subscription.advance(datagram.channel, datagram.first, to);
  if (!advanced) return std::unexpected(advanced.error());
  const Offset from = datagram.first + advanced->known;
  const bool nameless = !subscription.knows(datagram.producer);  // whose PRODUCER is not here yet
  tell_missed(datagram.subscription, *advanced, {from, nameless ? to : from, GapReason::kLost},
              outputs);
  if (nameless || from == to) return std::nullopt;
  return Delivered{.subscription = datagram.subscription,
                   .channel = advanced->channel,
                   .publisher = subscription.publisher(datagram.producer),
                   .first = from,
                   .count = to - from,
                   .frames = behind(datagram.frames, advanced->known)};
}

}  // namespace orzatty::client
