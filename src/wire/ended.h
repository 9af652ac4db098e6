// ENDED: a subscription is over, and why.
#pragma once

#include <expected>
#include <string>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct Ended {
  SubscriptionId subscription;
  ErrorCode code = ErrorCode::kNone;
  std::string text;  // for humans
  bool operator==(const Ended&) const = default;
};

std::expected<Ended, ProtocolError> decode_ended(BytesView body);
// Appends the whole frame.
void encode(const Ended& ended, Bytes& out);

}  // namespace orzatty::wire
