// CLOSE: the session ends here, and why.
#pragma once

#include <expected>
#include <string>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct Close {
  ErrorCode code = ErrorCode::kNone;
  std::string text;  // for humans
  bool operator==(const Close&) const = default;
};

std::expected<Close, ProtocolError> decode_close(BytesView body);
// Appends the whole frame.
void encode(const Close& close, Bytes& out);

}  // namespace orzatty::wire
