// ACK: what a server has of a client's publications, one frame for many messages.
#pragma once

#include <cstdint>
#include <expected>
#include <vector>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

enum class AckLevel : std::uint8_t { kMemory = 0 };

// Messages [first, first + count) of a publication are at [first_offset, first_offset + count). A
// count of 0 says what the server expects next. spec: PUBLISH-7
struct AckRun {
  PublicationId publication;
  Sequence first;
  std::uint64_t count = 0;
  Offset first_offset;
  bool duplicate = false;  // they were there before,
  bool forgotten = false;  // and where is not known any more: first_offset is 0
  bool operator==(const AckRun&) const = default;
};

struct Ack {
  std::uint32_t nonce = 0;  // of the newest run that it covers
  AckLevel level = AckLevel::kMemory;
  std::vector<AckRun> runs;
  bool operator==(const Ack&) const = default;
};

// Replaces what `into` holds; its memory is used again. After an error `into` means nothing.
std::expected<void, ProtocolError> decode_ack(BytesView body, Ack& into);
// Appends the whole frame.
void encode(const Ack& ack, Bytes& out);

}  // namespace orzatty::wire
