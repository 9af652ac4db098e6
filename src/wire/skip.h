// SKIP: sequences that a publisher will never send, [from, to).
#pragma once

#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "orzatty/message.h"

namespace orzatty::wire {

struct Skip {
  Sequence from;
  Sequence to;
  GapReason reason = GapReason::kRetention;
  bool operator==(const Skip&) const = default;
};

std::expected<Skip, ProtocolError> decode_skip(BytesView body);
// Appends the whole frame.
void encode(const Skip& skip, Bytes& out);

}  // namespace orzatty::wire
