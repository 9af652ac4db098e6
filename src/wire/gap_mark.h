// GAP: offsets of a channel that a subscription will not see, [from, to).
#pragma once

#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "orzatty/message.h"

namespace orzatty::wire {

struct GapMark {
  ChannelAlias alias;
  Offset from;
  Offset to;
  GapReason reason = GapReason::kRetention;
  bool operator==(const GapMark&) const = default;
};

std::expected<GapMark, ProtocolError> decode_gap_mark(BytesView body);
// Appends the whole frame.
void encode(const GapMark& gap, Bytes& out);

}  // namespace orzatty::wire
