// CONSUMED: how far a client has handled the channels of its subscriptions.
#pragma once

#include <cstdint>
#include <expected>
#include <vector>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct ConsumedPosition {
  SubscriptionId subscription;
  ChannelAlias alias;
  Offset next;
  bool operator==(const ConsumedPosition&) const = default;
};

struct Consumed {
  std::uint32_t nonce = 0;  // of the newest run that it covers
  std::vector<ConsumedPosition> positions;
  bool operator==(const Consumed&) const = default;
};

// Replaces what `into` holds; its memory is used again. After an error `into` means nothing.
std::expected<void, ProtocolError> decode_consumed(BytesView body, Consumed& into);
// Appends the whole frame.
void encode(const Consumed& consumed, Bytes& out);

}  // namespace orzatty::wire
