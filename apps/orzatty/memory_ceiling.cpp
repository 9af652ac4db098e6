#include "memory_ceiling.h"

#include <algorithm>

#include "hub/refusals.h"
#include "hub/sessions.h"

namespace orzatty::apps {
namespace {

constexpr double kHalfOpenSize = 55'500;     // measured, of the transport
constexpr double kEstablishedSize = 37'000;  // measured, idle
constexpr double kValueSizeMin = 512;        // of the hub's memory, of each key
// Besides: nodes with the longest key, and a producer of its own with the longest name; measured.
constexpr double kKeySize = 1'480;
// Of a run, which may be one message of the smallest size; its tables grow by doubling.
constexpr double kRunSize = 2 * 84;
constexpr double kFrameSizeMin = 2;
// Of what the hub has beside its memory proper; measured, see the tests of Memory.
constexpr double kPublicationSize = 4'000;
constexpr double kChannelSize = 1'700;
constexpr double kRequestSize = 240;

// The newest values of a channel in mode latest and their keys, beside its log.
double values_size(const ChannelConfig& config, const Limits& limits) {
  if (config.mode != DeliveryMode::kLatest) return 0;
  const double value = std::max<double>(kValueSizeMin, limits.message_size_max);
  return std::min<double>(value * limits.latest_key_count_max, limits.channel_size_max) +
         kKeySize * limits.latest_key_count_max;
}

double run_count(const ChannelConfig& config) {
  const auto by_count = static_cast<double>(config.retention.count);
  const double by_bytes = static_cast<double>(config.retention.bytes) / kFrameSizeMin;
  if (config.retention.count == 0) return by_bytes;
  if (config.retention.bytes == 0) return by_count;
  return std::min(by_bytes, by_count);
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
                       limits.control_backlog_max + limits.pinned_size_max +
                       kPublicationSize * limits.publication_count_max;
  ceiling.connections = ceiling.connection * limits.connection_count_max;
  const auto size_of = [&](const ChannelConfig& config) {
    const double log = log_size(config, limits) + kRunSize * run_count(config);
    return std::min(log, 2.0 * limits.channel_size_max) + values_size(config, limits);
  };
  ceiling.channel = size_of(channel_default);
  double named_count = 0;
  for (const ChannelRule& rule : channels) {
    const double size = size_of(rule.config);
    if (rule.pattern.has_wildcard()) {
      ceiling.channel = std::max(ceiling.channel, size);
    } else {
      ceiling.named_channels += size;
      ++named_count;
    }
  }
  // However many channels there are, all that they hold comes from one pool.
  const auto hub_size = static_cast<double>(limits.hub_size_max);
  ceiling.named_channels = std::min(ceiling.named_channels, hub_size);
  ceiling.channels =
      std::min(ceiling.channel * std::max(0.0, limits.channel_count_max - named_count),
               hub_size - ceiling.named_channels);
  ceiling.besides = hub_size / hub::Sessions::kHubShare +
                    hub_size / hub::Refusals::Budget::kHubShare +
                    kRequestSize * limits.hub_request_count_max +
                    kChannelSize * limits.channel_count_max;
  return ceiling;
}

}  // namespace orzatty::apps
