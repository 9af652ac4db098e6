// UNSUBSCRIBE: a client wants no more of a subscription.
#pragma once

#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct Unsubscribe {
  SubscriptionId subscription;
  bool operator==(const Unsubscribe&) const = default;
};

std::expected<Unsubscribe, ProtocolError> decode_unsubscribe(BytesView body);
// Appends the whole frame.
void encode(const Unsubscribe& unsubscribe, Bytes& out);

}  // namespace orzatty::wire
