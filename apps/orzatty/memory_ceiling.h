// How much memory a server can come to need if everybody used everything at once: for `serve
// --check`, so that limits are chosen knowingly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orzatty/channel.h"
#include "orzatty/limits.h"
#include "orzatty/server.h"

namespace orzatty::apps {

struct MemoryCeiling {
  double half_open = 0;    // bytes, of all strangers
  double connection = 0;   // of one
  double connections = 0;  // of all
  // Of the channels that a pattern without a wildcard names, and of one other channel.
  double named_channels = 0;
  double channel = 0;
  double channels = 0;  // of channel_count_max others
  double besides = 0;   // sessions that wait, requests, refusals, and channels that hold nothing
  [[nodiscard]] double total() const {
    return half_open + connections + named_channels + channels + besides;
  }
};

MemoryCeiling memory_ceiling(const Limits& limits, const ChannelConfig& channel_default,
                             const std::vector<ChannelRule>& channels);

}  // namespace orzatty::apps
