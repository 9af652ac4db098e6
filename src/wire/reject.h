// REJECT: a server refused messages of a publication, [from, to): they are in no log.
#pragma once

#include <expected>
#include <string>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct Reject {
  PublicationId publication;
  Sequence from;
  Sequence to;
  ErrorCode code = ErrorCode::kNone;
  std::string text;  // for humans
  bool operator==(const Reject&) const = default;
};

std::expected<Reject, ProtocolError> decode_reject(BytesView body);
// Appends the whole frame.
void encode(const Reject& reject, Bytes& out);

}  // namespace orzatty::wire
