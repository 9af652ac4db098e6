// The seam between a session and what carries it. Free of QUIC's types, so that WebTransport, the
// simulator and whatever comes can stand below it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "orzatty/bytes.h"
#include "orzatty/ids.h"

namespace orzatty::session {

// A stream on which this side sends, as the session names it. The control stream is always key 0.
using StreamKey = StrongId<struct StreamKeyTag, std::uint32_t>;
inline constexpr StreamKey kControlKey{0};

// A unidirectional stream of the peer, as the transport names it.
using RemoteStream = StrongId<struct RemoteStreamTag>;

enum class Fin : std::uint8_t { kNo, kYes };

// What a datagram is known by until its fate is: its sender chooses it.
using DatagramTag = StrongId<struct DatagramTagTag>;

// Bytes to put into packets next. They stay where they are until acked() covers them or the
// transport is gone; taken() may accept less than was offered.
struct Offer {
  static constexpr std::size_t kSpanMax = 8;
  StreamKey stream;
  Fin fin = Fin::kNo;  // the stream ends behind these bytes
  // They are one datagram instead, whole and not on the stream: its source knows which.
  std::optional<DatagramTag> datagram;
  std::size_t span_count = 0;
  std::array<BytesView, kSpanMax> spans;

  [[nodiscard]] std::span<const BytesView> bytes() const { return {spans.data(), span_count}; }
};

// Credit to return to the peer: it was consumed and there is room for as much again.
struct Credit {
  RemoteStream stream;
  std::uint64_t size = 0;
};

}  // namespace orzatty::session
