#include "memory_ceiling.h"

#include <algorithm>

namespace orzatty::apps {
namespace {

constexpr double kHalfOpenSize = 55'500;     // measured, of the transport
constexpr double kEstablishedSize = 37'000;  // measured, idle

double log_size(const ChannelConfig& config, const Limits& limits) {
  const auto by_bytes = static_cast<double>(config.retention.bytes);
  const double by_count =
      static_cast<double>(config.retention.count) * static_cast<double>(limits.message_size_max);
  if (config.retention.count == 0) return by_bytes;
  if (config.retention.bytes == 0) return by_count;
  return std::min(by_bytes, by_count);
}

}  // namespace

MemoryCeiling memory_ceiling(const Limits& limits, const ChannelConfig& channel_default,
                             const std::vector<ChannelRule>& channels) {
  MemoryCeiling ceiling;
  ceiling.half_open = kHalfOpenSize * limits.half_open_count_max;
  // What a peer that reads nothing and sends everything in pieces can hold. The logs that it pins
  // would otherwise be free, so they count here.
  ceiling.connection = kEstablishedSize + static_cast<double>(limits.reassembly_size_max) +
                       limits.control_backlog_max + limits.pinned_size_max;
  ceiling.connections = ceiling.connection * limits.connection_count_max;
  ceiling.channel = log_size(channel_default, limits);
  double named_count = 0;
  for (const ChannelRule& rule : channels) {
    const double size = log_size(rule.config, limits);
    if (rule.pattern.has_wildcard()) {
      ceiling.channel = std::max(ceiling.channel, size);
    } else {
      ceiling.named_channels += size;
      ++named_count;
    }
  }
  // However many channels there are, their logs come from one pool.
  ceiling.channels =
      std::min(ceiling.channel * std::max(0.0, limits.channel_count_max - named_count),
               static_cast<double>(limits.hub_size_max));
  return ceiling;
}

}  // namespace orzatty::apps
