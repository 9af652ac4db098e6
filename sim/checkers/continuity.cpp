#include "sim/checkers/continuity.h"

#include <algorithm>

namespace orzatty::sim {

namespace {

std::string text_of_range(std::string_view channel, Offset from, Offset to) {
  return std::string(channel) + "@" + std::to_string(from.value()) + " to " +
         std::to_string(to.value());
}

}  // namespace

void Continuity::handle(const Happening& happening) {
  if (const auto* rose = std::get_if<ServerRose>(&happening)) {
    life_ = rose->life;
  } else if (const auto* published = std::get_if<Published>(&happening)) {
    if (published->time_to_live) expiring_.emplace(published->channel);
    const auto count = published_.find(published->channel);
    if (count == published_.end()) {
      published_.emplace(published->channel, 1);
    } else {
      ++count->second;
    }
  } else if (const auto* began = std::get_if<ProgramBegan>(&happening)) {
    if (began->role == Role::kAuditor) auditors_.insert(began->program);
  } else if (const auto* asked = std::get_if<SubscriptionAsked>(&happening)) {
    subscriptions_.emplace(Key(asked->program, asked->subscription),
                           Subscription{*asked->pattern, asked->start, {}, {}});
  } else if (const auto* confirmed = std::get_if<SubscriptionConfirmed>(&happening)) {
    handle(*confirmed);
  } else if (const auto* over = std::get_if<SubscriptionOver>(&happening)) {
    subscriptions_.erase(Key(over->program, over->subscription));
  } else if (const auto* killed = std::get_if<ProgramKilled>(&happening)) {
    std::erase_if(subscriptions_,
                  [&](const auto& item) { return item.first.first == killed->program; });
  } else if (const auto* seen = std::get_if<MessagesSeen>(&happening)) {
    handle(*seen);
  } else if (const auto* gap = std::get_if<GapSeen>(&happening)) {
    handle(*gap);
  } else if (const auto* reset = std::get_if<ResetSeen>(&happening)) {
    handle(*reset);
  }
}

void Continuity::handle(const SubscriptionConfirmed& confirmed) {
  const auto found = subscriptions_.find(Key(confirmed.program, confirmed.subscription));
  if (found == subscriptions_.end()) return;
  Confirmation& known = found->second.confirmed.emplace(Confirmation{confirmed.life, {}});
  for (const auto& [channel, record] : archive_.channels(confirmed.life)) {
    known.sizes.emplace(channel, record.entries.size());
  }
}

void Continuity::handle(const MessagesSeen& seen) {
  advance(Key(seen.program, seen.subscription), seen.channel, seen.life, seen.first,
          seen.first + seen.messages.size(), As::kDelivered);
}

void Continuity::handle(const GapSeen& seen) {
  advance(Key(seen.program, seen.subscription), seen.channel, seen.life, seen.gap.from, seen.gap.to,
          As::kMissed);
  judge_gap(seen);
}

void Continuity::handle(const ResetSeen& seen) {
  const auto found = subscriptions_.find(Key(seen.program, seen.subscription));
  if (found == subscriptions_.end()) return;
  if (!keeps_order(server_, seen.channel)) {
    Scattered& scattered = found->second.scattered[std::string(seen.channel)];
    if (scattered.life == seen.life && scattered.first) {
      violated(std::string(seen.channel) + " is said to begin anew, but the server lives on");
    }
    scattered = {.life = seen.life, .began_anew = true};
    return;
  }
  Cursor& cursor = found->second.cursors[std::string(seen.channel)];
  // A channel without any message is forgotten with the last who knows of it.
  if (cursor.life == seen.life && !cursor.began_anew) {
    violated(std::string(seen.channel) + " is said to begin anew, but the server lives on");
  }
  cursor = {.life = seen.life, .next = Offset(0), .began_anew = true};
}

void Continuity::advance(const Key& key, std::string_view channel, ServerLife life, Offset from,
                         Offset to, As as) {
  if (!keeps_order(server_, channel)) return scatter(key, channel, life, from, to);
  const auto found = subscriptions_.find(key);
  if (found == subscriptions_.end()) {
    return violated("something is delivered to a subscription that ended");
  }
  Subscription& subscription = found->second;
  const auto cursor = subscription.cursors.find(channel);
  if (cursor == subscription.cursors.end()) {
    // Of what is not kept nobody knows more than an auditor that has just come.
    if (!auditors_.contains(key.first) || keeps_all(server_, channel)) {
      judge_start(subscription, channel, life, from);
    }
    const Cursor begin{.life = life, .next = from, .begin = from};
    return move(subscription.cursors.emplace(channel, begin).first->second, channel, to, as);
  }
  if (cursor->second.life != life) {
    violated(std::string(channel) + " began anew, and the subscriber was not told");
  } else if (cursor->second.began_anew) {
    if (from.value() > kept_from(channel, life)) {
      violated(text_of_range(channel, from, to) + " comes first after a new beginning");
    }
  } else if (cursor->second.next != from) {
    violated(text_of_range(channel, from, to) + " comes where " +
             std::to_string(cursor->second.next.value()) + " is next");
  }
  Cursor& known = cursor->second;
  if (known.life != life || known.began_anew) known = {.life = life, .next = from, .begin = from};
  move(known, channel, to, as);
}

void Continuity::scatter(const Key& key, std::string_view channel, ServerLife life, Offset from,
                         Offset to) {
  const auto found = subscriptions_.find(key);
  if (found == subscriptions_.end()) {
    return violated("something is delivered to a subscription that ended");
  }
  auto& scattered = found->second.scattered;
  const auto place = scattered.try_emplace(std::string(channel), Scattered{.life = life}).first;
  if (place->second.life != life) {
    violated(std::string(channel) + " began anew, and the subscriber was not told");
    place->second = {.life = life};
  }
  const auto stretch = place->second.had.look(from, to - from);
  if (stretch.known || stretch.count < to - from) {
    violated(text_of_range(channel, from, to) + " comes a second time");
  }
  place->second.had.add(from, to);
  place->second.first = std::min(place->second.first.value_or(from), from);
  const auto count = published_.find(channel);
  if (count == published_.end() || to.value() > count->second) {
    violated(text_of_range(channel, from, to) + " is more than was published");
  }
}

// The account balances at every instant.
void Continuity::move(Cursor& cursor, std::string_view channel, Offset to, As as) {
  (as == As::kDelivered ? cursor.delivered : cursor.missed) += to - cursor.next;
  cursor.next = to;
  const auto count = published_.find(channel);
  const std::uint64_t published = count == published_.end() ? 0 : count->second;
  const bool balances = cursor.begin + (cursor.delivered + cursor.missed) == cursor.next;
  if (!balances || cursor.next.value() > published) {
    violated(std::string(channel) + ": published is not delivered + gaps + in flight");
  }
}

void Continuity::judge_start(const Subscription& subscription, std::string_view channel,
                             ServerLife life, Offset first) {
  const std::string what = std::string(channel) + " begins at " + std::to_string(first.value());
  switch (subscription.start.kind) {
    case StartPosition::Kind::kStart:
      if (first.value() > kept_from(channel, life)) violated(what + ", not at its start");
      return;
    case StartPosition::Kind::kOffset:
      if (first.value() != subscription.start.value) {
        violated(what + ", not at " + std::to_string(subscription.start.value));
      }
      return;
    case StartPosition::Kind::kLive: {
      const auto then = live_from(subscription, channel, life);
      if (then && first.value() > *then) {
        violated(what + ", though it was subscribed when there were " + std::to_string(*then));
      }
      return;
    }
    case StartPosition::Kind::kLatest:
    case StartPosition::Kind::kLast:
      return;
  }
}

void Continuity::judge_gap(const GapSeen& seen) {
  const std::string what = text_of_range(seen.channel, seen.gap.from, seen.gap.to) +
                           " is missing by " + std::string(orzatty::name(seen.gap.reason));
  const ChannelConfig& config = config_of(server_, seen.channel);
  const bool as_datagrams = config.mode == DeliveryMode::kDatagram;
  const bool is_table = config.mode == DeliveryMode::kLatest;
  const bool lets_go =
      as_datagrams || config.slow_policy == SlowPolicy::kDropOldest || config.slow_policy == SlowPolicy::kLatest;
  if (seen.gap.to <= seen.gap.from) return violated(what + ": an empty gap");
  switch (seen.gap.reason) {
    case GapReason::kSlow:
      if (!lets_go || is_table) violated(what + ", but the channel waits for the slow");
      return;
    case GapReason::kRetention:
      if (seen.gap.to.value() > kept_from(seen.channel, seen.life)) {
        violated(what + ", but the channel keeps it");
      }
      return;
    case GapReason::kSuperseded:
      if (!is_table && (as_datagrams || config.slow_policy != SlowPolicy::kLatest)) {
        violated(what + ", but all values count");
      }
      return;
    case GapReason::kExpired:
      if (!expiring_.contains(seen.channel)) violated(what + ", but nothing in it expires");
      return;
    case GapReason::kLost:
      if (!as_datagrams) violated(what + ", but nothing in it travels as a datagram");
      return;
    case GapReason::kRefused:
      return violated(what + ", which nothing here causes");
  }
}

std::uint64_t Continuity::kept_from(std::string_view channel, ServerLife life) const {
  if (keeps_all(server_, channel)) return 0;
  if (config_of(server_, channel).mode == DeliveryMode::kLatest) {
    return archive_.size(life, channel);  // of any message there may be a newer value
  }
  const Retention& retention = config_of(server_, channel).retention;
  const std::uint64_t size = archive_.size(life, channel);
  const bool bounded = server_.limits.channel_size_max < Limits().channel_size_max;
  if (bounded || retention.bytes > 0 || retention.age > Duration::zero()) return size;
  return size - std::min(size, retention.count);
}

bool Continuity::behind(const Subscription& subscription, const std::string& channel,
                        std::uint64_t size) const {
  const auto scattered = subscription.scattered.find(channel);
  if (scattered != subscription.scattered.end()) {
    return has_holes(subscription, scattered->second, channel, size);
  }
  const auto cursor = subscription.cursors.find(channel);
  if (cursor != subscription.cursors.end()) {
    return cursor->second.life != life_ || cursor->second.next.value() < size;
  }
  return has_to_begin(subscription, channel, size);
}

bool Continuity::has_to_begin(const Subscription& subscription, const std::string& channel,
                              std::uint64_t size) const {
  if (subscription.start.kind == StartPosition::Kind::kOffset) {
    return size > subscription.start.value;
  }
  if (subscription.start.kind != StartPosition::Kind::kLive)
    return size > kept_from(channel, life_);
  // One that was live in an earlier life of the server, and saw nothing, is live again.
  return size > live_from(subscription, channel, life_).value_or(size);
}

bool Continuity::has_holes(const Subscription& subscription, const Scattered& scattered,
                           const std::string& channel, std::uint64_t size) const {
  if (scattered.life != life_) return true;
  if (!scattered.first) return size > kept_from(channel, life_);
  using Kind = StartPosition::Kind;
  const Kind kind = subscription.start.kind;
  std::uint64_t latest = size;  // that it may begin with
  if (scattered.began_anew || kind == Kind::kStart) latest = kept_from(channel, life_);
  else if (kind == Kind::kOffset) latest = subscription.start.value;
  else if (kind == Kind::kLive) latest = live_from(subscription, channel, life_).value_or(size);
  const Offset first = *scattered.first;
  if (first.value() > latest) return true;
  const auto stretch = scattered.had.look(first, size - first.value());
  return !stretch.known || first + stretch.count < Offset(size);
}

std::optional<std::uint64_t> Continuity::live_from(const Subscription& subscription,
                                                   std::string_view channel,
                                                   ServerLife life) const {
  if (!subscription.confirmed || subscription.confirmed->life != life) return std::nullopt;
  const auto size = subscription.confirmed->sizes.find(channel);
  return size == subscription.confirmed->sizes.end() ? 0 : size->second;
}

std::string Continuity::unrest() const {
  for (const auto& [key, subscription] : subscriptions_) {
    if (!subscription.confirmed) return "a subscription is not confirmed";
    for (const auto& [channel, record] : archive_.channels(life_)) {
      if (subscription.pattern.matches(*ChannelName::parse(channel)) &&
          behind(subscription, channel, record.entries.size())) {
        return "program " + std::to_string(key.first.value()) + " does not have all of " + channel;
      }
    }
  }
  return {};
}

void Continuity::finish() {
  if (const std::string who = unrest(); !who.empty()) violated(who);
}

}  // namespace orzatty::sim
