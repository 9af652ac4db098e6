// FATE: what became of a producer's messages. The client asks for a range, the server answers by
// runs.
#pragma once

#include <cstdint>
#include <expected>
#include <vector>

#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

enum class FateKind : std::uint8_t {
  kAsked = 0,
  kAccepted = 1,
  kRejected = 2,
  kUnknown = 3,    // the server never had it, or nothing of its producer is left
  kForgotten = 4,  // it had a fate, which the server remembers no longer
};

struct FateRun {
  Sequence first;
  std::uint64_t count = 0;
  FateKind kind = FateKind::kAsked;
  std::uint64_t value = 0;  // the offset of the first when accepted, the code when rejected
  bool operator==(const FateRun&) const = default;
};

struct Fate {
  std::uint64_t question = 0;  // the client's number for it
  ProducerId producer;
  ProducerEpoch epoch;
  ChannelName channel;
  std::vector<FateRun> runs;  // dense, in order
  bool operator==(const Fate&) const = default;
};

std::expected<Fate, ProtocolError> decode_fate(BytesView body);
// Appends the whole frame.
void encode(const Fate& fate, Bytes& out);

}  // namespace orzatty::wire
