#include "memory_ceiling.h"

#include <algorithm>

namespace orzatty::apps {
namespace {

constexpr double kHalfOpenSize = 55'500;     // measured, of the transport
constexpr double kEstablishedSize = 37'000;  // measured, idle
constexpr double kValueSizeMin = 512;        // of the hub's memory, of each key
constexpr double kKeySize = 448;             // besides: two nodes, and the longest key

// The newest values of a channel in mode latest, beside its log.
double values_size(const ChannelConfig& config, const Limits& limits) {
  if (config.mode != DeliveryMode::kLatest) return 0;
  const double value = std::max<double>(kValueSizeMin, limits.message_size_max);
  return std::min<double>(value * limits.latest_key_count_max, limits.channel_size_max);
}

double key_count(const ChannelConfig& config, const Limits& limits) {
  return config.mode == DeliveryMode::kLatest ? limits.latest_key_count_max : 0;
}

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
  const auto size_of = [&](const ChannelConfig& config) {
    return log_size(config, limits) + values_size(config, limits);
  };
  ceiling.channel = size_of(channel_default);
  double named_count = 0;
  double keys = key_count(channel_default, limits) * limits.channel_count_max;
  for (const ChannelRule& rule : channels) {
    const double size = size_of(rule.config);
    const double count = rule.pattern.has_wildcard() ? limits.channel_count_max : 1;
    keys += key_count(rule.config, limits) * count;
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
  ceiling.keys = kKeySize * std::min(keys, limits.hub_size_max / kValueSizeMin);
  return ceiling;
}

}  // namespace orzatty::apps
