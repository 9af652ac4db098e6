// DELIVER: the preface of a server's stream: the channels of one subscription.
#pragma once

#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct Deliver {
  SubscriptionId subscription;
  bool passing = false;  // some of its messages or gaps by themselves, not the subscription's own
  bool operator==(const Deliver&) const = default;
};

std::expected<Deliver, ProtocolError> decode_deliver(BytesView body);
// Appends the whole frame.
void encode(const Deliver& deliver, Bytes& out);

}  // namespace orzatty::wire
