#include "hub/channel_table.h"

#include <algorithm>

namespace orzatty::hub {

Channel* ChannelTable::find(std::string_view name) const {
  const auto found = channels_.find(name);
  return found == channels_.end() ? nullptr : found->second.get();
}

Channel* ChannelTable::make(const ChannelName& name) {
  if (channels_.size() >= config_.limits.channel_count_max) return nullptr;
  // A log begins with a segment.
  if (pool_.room() < base::SegmentPool::kSizeMin) return nullptr;
  auto made =
      std::make_unique<Channel>(name, ChannelEpoch(prng_.next()), config_.properties_of(name),
                                config_.limits, pool_, traffic_[config_.rule_of(name)]);
  Channel& channel = *made;
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.push_back(nullptr);
  }
  channel.timer_slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[channel.timer_slot] = &channel;
  channels_.emplace(std::string(name.text()), std::move(made));
  return &channel;
}

std::string_view ChannelTable::literal_prefix(const ChannelPattern& pattern) {
  return pattern.text().substr(0, pattern.text().find_first_of("*>"));
}

bool ChannelTable::settle(Channel& channel, Instant now) {
  const bool used =
      channel.publication_count > 0 || !channel.readers().empty() || channel.has_messages();
  if (used) {
    channel.unused_since.reset();
    // What has expired and is still there waits for a subscriber, and goes when that one reads.
    const std::optional<Instant> expiry = channel.next_expiry();
    set_timer(channel, expiry && *expiry > now ? expiry : std::nullopt);
    return false;
  }
  if (!channel.unused_since) channel.unused_since = now;
  // One that never held a message, nor refused one, has nothing to remember.
  const bool untouched = channel.index().next_offset() == Offset(0) && !channel.has_refused;
  const Instant kept_until = *channel.unused_since + kUnusedKept;
  if (!untouched && now < kept_until) {
    set_timer(channel, kept_until);
    return false;
  }
  free(channel);
  return true;
}

// Most channels have none, and are settled with every message.
void ChannelTable::set_timer(Channel& channel, std::optional<Instant> deadline) {
  if (channel.timer == deadline) return;
  channel.timer = deadline;
  timers_.set(channel.timer_slot, deadline);
}

void ChannelTable::free(Channel& channel) {
  timers_.set(channel.timer_slot, std::nullopt);
  slots_[channel.timer_slot] = nullptr;
  free_slots_.push_back(channel.timer_slot);
  channels_.erase(channels_.find(channel.name().text()));
}

Channel* ChannelTable::pop_due(Instant now) {
  const auto slot = timers_.pop_due(now);
  if (!slot) return nullptr;
  slots_[*slot]->timer.reset();
  return slots_[*slot];
}

}  // namespace orzatty::hub
