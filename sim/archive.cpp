#include "sim/archive.h"

#include <algorithm>

namespace orzatty::sim {

ChannelRecord& Archive::record(ServerLife life, std::string_view channel) {
  auto& channels = lives_[life].channels;
  const auto found = channels.find(channel);
  return found != channels.end() ? found->second : channels[std::string(channel)];
}

Archive::Witness Archive::witness(ServerLife life, std::string_view channel, Offset offset,
                                  const MessageName& name) {
  ChannelRecord& known = record(life, channel);
  const auto at = static_cast<std::size_t>(offset.value());
  if (known.entries.size() <= at) known.entries.resize(at + 1);
  ChannelRecord::Entry& entry = known.entries[at];
  if (entry.known) return entry.name == name ? Witness::kAgrees : Witness::kOtherMessage;
  entry.known = true;
  entry.name = name;
  const auto [first, is_new] = lives_[life].offsets.emplace(name, offset);
  return is_new || first->second == offset ? Witness::kAgrees : Witness::kOtherOffset;
}

void Archive::audit(ServerLife life, std::string_view channel, Offset to) {
  ChannelRecord& known = record(life, channel);
  known.audited_to = std::max(known.audited_to, to.value());
  const auto size = static_cast<std::size_t>(known.audited_to);
  if (known.entries.size() < size) known.entries.resize(size);
}

std::uint64_t Archive::audited_to(ServerLife life, std::string_view channel) const {
  const ChannelRecord* const known = find(life, channel);
  return known == nullptr ? 0 : known->audited_to;
}

const ChannelRecord* Archive::find(ServerLife life, std::string_view channel) const {
  const auto& all = channels(life);
  const auto found = all.find(channel);
  return found == all.end() ? nullptr : &found->second;
}

std::optional<Offset> Archive::offset_of(ServerLife life, const MessageName& name) const {
  const auto found = lives_.find(life);
  if (found == lives_.end()) return std::nullopt;
  const auto offset = found->second.offsets.find(name);
  if (offset == found->second.offsets.end()) return std::nullopt;
  return offset->second;
}

std::uint64_t Archive::size(ServerLife life, std::string_view channel) const {
  const ChannelRecord* const known = find(life, channel);
  return known == nullptr ? 0 : known->entries.size();
}

const std::map<std::string, ChannelRecord, std::less<>>& Archive::channels(ServerLife life) const {
  static const std::map<std::string, ChannelRecord, std::less<>> kNone;
  const auto found = lives_.find(life);
  return found == lives_.end() ? kNone : found->second.channels;
}

}  // namespace orzatty::sim
