// What quic and whoever uses it say about streams.
#pragma once

#include <cstdint>

#include "orzatty/bytes.h"
#include "orzatty/ids.h"

namespace orzatty::quic {

using StreamId = StrongId<struct QuicStreamIdTag, std::int64_t>;

enum class StreamKind : std::uint8_t { kBidirectional, kUnidirectional };
enum class Fin : std::uint8_t { kNo, kYes };

constexpr StreamKind kind_of(StreamId id) {
  return (id.value() & 0x2) != 0 ? StreamKind::kUnidirectional : StreamKind::kBidirectional;
}

// Where received bytes go. Bytes are handed over while they still lie where the packet was
// decrypted, which is why this is a call and not an event: they are valid until it returns.
// An implementation must not call the connection back; it remembers what it wants and does it later.
class StreamSink {
 public:
  virtual void on_stream_bytes(StreamId stream, BytesView bytes, Fin fin) = 0;
  // The content of a DATAGRAM frame (RFC 9221), which may be empty. Whoever wants none passes over it.
  virtual void on_datagram_frame(BytesView bytes) { static_cast<void>(bytes); }

 protected:
  ~StreamSink() = default;
};

}  // namespace orzatty::quic
