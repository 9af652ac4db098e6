// SUBSCRIBE: a client asks for the channels that match a pattern, from a start or from where it
// was.
#pragma once

#include <expected>
#include <vector>

#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

// A channel that the subscription knows already. spec: SUBSCRIBE-4
struct SubscribePosition {
  ChannelName channel;
  ChannelEpoch epoch;
  Offset next;
  bool operator==(const SubscribePosition&) const = default;
};

struct Subscribe {
  SubscriptionId subscription;
  ChannelPattern pattern;
  StartPosition start;  // of channels that are not among the positions
  std::vector<SubscribePosition> positions;
  bool operator==(const Subscribe&) const = default;
};

std::expected<Subscribe, ProtocolError> decode_subscribe(BytesView body);
// Appends the whole frame.
void encode(const Subscribe& subscribe, Bytes& out);

}  // namespace orzatty::wire
