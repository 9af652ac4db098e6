// ALIAS: introduces a channel on a subscription's stream, where it starts and how its messages travel.
#pragma once

#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct Alias {
  ChannelAlias alias;
  ChannelEpoch epoch;
  Offset next;  // of its first run or gap
  ChannelName channel;
  DeliveryMode mode = DeliveryMode::kReliable;
  bool operator==(const Alias&) const = default;
};

std::expected<Alias, ProtocolError> decode_alias(BytesView body);
// Appends the whole frame.
void encode(const Alias& alias, Bytes& out);

}  // namespace orzatty::wire
