// SUBSCRIBED: a server accepted a subscription, and in how many channels it begins. Where, their
// ALIASes say, on its stream.
#pragma once

#include <cstdint>
#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct Subscribed {
  SubscriptionId subscription;
  std::uint64_t channel_count = 0;
  bool operator==(const Subscribed&) const = default;
};

std::expected<Subscribed, ProtocolError> decode_subscribed(BytesView body);
// Appends the whole frame.
void encode(const Subscribed& subscribed, Bytes& out);

}  // namespace orzatty::wire
