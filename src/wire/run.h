// RUN: so many bytes of message frames follow, verbatim from a log, from this position on.
#pragma once

#include <cstdint>
#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

// On PUBLISH and DIRECT streams both aliases are 0.
struct Run {
  ChannelAlias channel{0};
  ProducerAlias producer{0};
  std::uint64_t first = 0;  // an offset on a DELIVER stream, else a sequence
  std::uint64_t size = 0;   // bytes of frames that follow
  std::uint32_t nonce = 0;  // comes back with the acknowledgement
  bool operator==(const Run&) const = default;
};

std::expected<Run, ProtocolError> decode_run(BytesView body);
// Appends the whole frame.
void encode(const Run& run, Bytes& out);

}  // namespace orzatty::wire
