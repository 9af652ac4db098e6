// PING and PONG: a side that heard nothing asks, and the other answers with the same bytes.
#pragma once

#include <array>
#include <cstddef>
#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/error.h"

namespace orzatty::wire {

struct Ping {
  std::array<std::byte, 8> opaque{};
  bool operator==(const Ping&) const = default;
};

struct Pong {
  std::array<std::byte, 8> opaque{};
  bool operator==(const Pong&) const = default;
};

std::expected<Ping, ProtocolError> decode_ping(BytesView body);
std::expected<Pong, ProtocolError> decode_pong(BytesView body);
// Append the whole frame.
void encode(const Ping& ping, Bytes& out);
void encode(const Pong& pong, Bytes& out);

}  // namespace orzatty::wire
