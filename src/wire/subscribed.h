// SUBSCRIBED: a server accepted a subscription.
#pragma once

#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct Subscribed {
  SubscriptionId subscription;
  bool operator==(const Subscribed&) const = default;
};

std::expected<Subscribed, ProtocolError> decode_subscribed(BytesView body);
// Appends the whole frame.
void encode(const Subscribed& subscribed, Bytes& out);

}  // namespace orzatty::wire
