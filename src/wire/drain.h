// DRAIN: the server is going away.
#pragma once

#include <chrono>
#include <expected>
#include <string>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct Drain {
  std::chrono::milliseconds time_left{0};
  std::string text;  // for humans
  bool operator==(const Drain&) const = default;
};

std::expected<Drain, ProtocolError> decode_drain(BytesView body);
// Appends the whole frame.
void encode(const Drain& drain, Bytes& out);

}  // namespace orzatty::wire
