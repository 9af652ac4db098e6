// Which stream of QUIC carries which stream of a session. One connection, one thread.
#pragma once

#include <optional>
#include <vector>

#include "quic/stream.h"
#include "session/transport.h"

namespace orzatty::link {

class StreamMap {
 public:
  void bind(session::StreamKey key, quic::StreamId stream);
  void unbind(quic::StreamId stream);
  [[nodiscard]] std::optional<quic::StreamId> find(session::StreamKey key) const;
  [[nodiscard]] std::optional<session::StreamKey> find(quic::StreamId stream) const;

 private:
  // Our unidirectional streams are numbered in the order in which they were opened (RFC 9000,
  // section 2.1), so both directions are plain tables. Closed ones at the front are forgotten.
  static std::size_t ordinal(quic::StreamId stream) {
    return static_cast<std::size_t>(stream.value() >> 2);
  }

  std::vector<std::optional<quic::StreamId>> streams_;       // by key
  std::vector<std::optional<session::StreamKey>> keys_;      // by ordinal - first_
  std::size_t first_ = 0;
  std::optional<quic::StreamId> control_;
};

constexpr session::RemoteStream remote_stream(quic::StreamId stream) {
  return session::RemoteStream(static_cast<std::uint64_t>(stream.value()));
}
constexpr quic::StreamId quic_stream(session::RemoteStream stream) {
  return quic::StreamId(static_cast<std::int64_t>(stream.value()));
}

}  // namespace orzatty::link
