#include "sim/checkers/latest_values.h"

#include <algorithm>

namespace orzatty::sim {

void LatestValues::handle(const Happening& happening) {
  if (const auto* rose = std::get_if<ServerRose>(&happening)) {
    life_ = rose->life;
    newest_.clear();
  } else if (const auto* published = std::get_if<Published>(&happening)) {
    if (counts(published->channel)) handle(*published);
  } else if (const auto* told = std::get_if<FateTold>(&happening)) {
    handle(*told);
  } else if (const auto* asked = std::get_if<SubscriptionAsked>(&happening)) {
    subscriptions_.emplace(Key(asked->program, asked->subscription),
                           Subscription{*asked->pattern, asked->start});
  } else if (const auto* over = std::get_if<SubscriptionOver>(&happening)) {
    subscriptions_.erase(Key(over->program, over->subscription));
  } else if (const auto* killed = std::get_if<ProgramKilled>(&happening)) {
    std::erase_if(subscriptions_,
                  [&](const auto& item) { return item.first.first == killed->program; });
  } else if (const auto* seen = std::get_if<MessagesSeen>(&happening)) {
    if (counts(seen->channel)) handle(*seen);
  } else if (const auto* gap = std::get_if<GapSeen>(&happening)) {
    if (!counts(gap->channel)) return;
    static_cast<void>(
        reading({gap->program, gap->subscription}, gap->channel, gap->life, gap->gap.from));
  } else if (const auto* reset = std::get_if<ResetSeen>(&happening)) {
    const auto found = subscriptions_.find(Key(reset->program, reset->subscription));
    if (found == subscriptions_.end() || !counts(reset->channel)) return;
    found->second.readings.insert_or_assign(std::string(reset->channel),
                                            Reading{reset->life, Offset(0)});
  }
}

void LatestValues::handle(const Published& published) {
  const MessageName name{published.program, published.publication, published.sequence};
  values_[name] = {std::string(published.key), published.time_to_live.has_value()};
  last_[{name.program, name.publication}][std::string(published.key)] = name.sequence;
}

// spec: LATEST-1
void LatestValues::handle(const FateTold& told) {
  Offset offset = told.first_offset.value_or(Offset(0));
  for (Sequence at = told.from; at < told.to; at += 1) {
    const MessageName name{told.program, told.publication, at};
    if (told.fate == Fate::kAccepted && told.first_offset) {
      note(told.life, told.channel, offset, name);
      offset += 1;
    }
    if (told.fate != Fate::kSuperseded) continue;
    const auto value = values_.find(name);
    const auto publication = last_.find({name.program, name.publication});
    if (value == values_.end() || publication == last_.end() ||
        publication->second.at(value->second.key) <= at) {
      violated(text_of(name) + " is passed over, though no newer value took its place");
    }
  }
}

void LatestValues::handle(const MessagesSeen& seen) {
  Reading* const known =
      reading({seen.program, seen.subscription}, seen.channel, seen.life, seen.first);
  Offset offset = seen.first;
  for (const SeenMessage& message : seen.messages) {
    note(seen.life, seen.channel, offset, message.name);
    const auto value = values_.find(message.name);
    if (known != nullptr && value != values_.end()) known->had[value->second.key] = offset;
    offset += 1;
  }
}

void LatestValues::note(ServerLife life, std::string_view channel, Offset offset,
                        const MessageName& name) {
  const auto value = values_.find(name);
  if (life != life_ || value == values_.end()) return;
  auto place = newest_.find(channel);
  if (place == newest_.end()) place = newest_.emplace(std::string(channel), decltype(place->second)()).first;
  Newest& newest =
      place->second.try_emplace(value->second.key, Newest{offset, value->second.expires})
          .first->second;
  if (offset > newest.offset) newest = {offset, value->second.expires};
}

LatestValues::Reading* LatestValues::reading(const Key& key, std::string_view channel,
                                             ServerLife life, Offset from) {
  const auto found = subscriptions_.find(key);
  if (found == subscriptions_.end()) return nullptr;
  auto& readings = found->second.readings;
  auto known = readings.find(channel);
  if (known == readings.end() || known->second.life != life) {
    known = readings.insert_or_assign(std::string(channel), Reading{life, from}).first;
  }
  return &known->second;
}

std::optional<Offset> LatestValues::begin_of(const Subscription& subscription,
                                             const std::string& channel) const {
  const auto known = subscription.readings.find(channel);
  if (known != subscription.readings.end() && known->second.life == life_) {
    return known->second.begin;
  }
  switch (subscription.start.kind) {
    case StartPosition::Kind::kStart:
      return Offset(0);
    case StartPosition::Kind::kOffset:
      return Offset(subscription.start.value);
    case StartPosition::Kind::kLive:
    case StartPosition::Kind::kLatest:
    case StartPosition::Kind::kLast:
      break;
  }
  return std::nullopt;  // of these the start is not known
}

// One that expires may have done so. spec: LATEST-2
std::optional<std::string> LatestValues::missing(const Subscription& subscription,
                                                 const std::string& channel) const {
  const auto begin = begin_of(subscription, channel);
  if (!begin) return std::nullopt;
  const auto known = subscription.readings.find(channel);
  for (const auto& [key, newest] : newest_.at(channel)) {
    if (newest.expires || newest.offset < *begin) continue;
    if (known == subscription.readings.end() || known->second.life != life_) return key;
    const auto had = known->second.had.find(key);
    if (had == known->second.had.end() || had->second != newest.offset) return key;
  }
  return std::nullopt;
}

std::string LatestValues::unrest() const {
  for (const auto& [channel, newest] : newest_) {
    const ChannelName name = *ChannelName::parse(channel);
    for (const auto& [key, subscription] : subscriptions_) {
      if (!subscription.pattern.matches(name)) continue;
      if (const auto value = missing(subscription, channel)) {
        return "program " + std::to_string(key.first.value()) +
               " does not have the newest value of " + *value + " in " + channel;
      }
    }
  }
  return {};
}

void LatestValues::finish() {
  if (const std::string who = unrest(); !who.empty()) violated(who);
}

}  // namespace orzatty::sim
