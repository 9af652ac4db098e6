// CANCEL: a client waits no longer for the reply to a request of its own.
#pragma once

#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct Cancel {
  CorrelationId correlation;
  bool operator==(const Cancel&) const = default;
};

std::expected<Cancel, ProtocolError> decode_cancel(BytesView body);
// Appends the whole frame.
void encode(const Cancel& cancel, Bytes& out);

}  // namespace orzatty::wire
