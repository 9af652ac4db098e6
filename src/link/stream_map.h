// Which stream of QUIC carries which stream of a session. One connection, one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "quic/stream.h"
#include "session/transport.h"

namespace orzatty::link {

class StreamMap {
 public:
  // A key has one stream at a time: binding it anew forgets the stream before.
  void bind(session::StreamKey key, quic::StreamId stream);
  void unbind(quic::StreamId stream);
  [[nodiscard]] std::optional<quic::StreamId> find(session::StreamKey key) const;
  [[nodiscard]] std::optional<session::StreamKey> find(quic::StreamId stream) const;

 private:
  struct Opened {
    quic::StreamId stream;
    std::optional<session::StreamKey> key;  // empty once it was closed
  };
  static constexpr std::size_t kClosedMin = 64;  // kept before room is made

  [[nodiscard]] std::optional<std::size_t> index_of(quic::StreamId stream) const;

  std::vector<std::optional<quic::StreamId>> streams_;  // by key
  // Ascending, as we open unidirectional streams in order (RFC 9000, section 2.1). At most as many
  // closed ones as open ones, or a stream that stays would keep all that came after it.
  std::vector<Opened> opened_;
  std::size_t closed_count_ = 0;
  std::optional<quic::StreamId> control_;
};

constexpr session::RemoteStream remote_stream(quic::StreamId stream) {
  return session::RemoteStream(static_cast<std::uint64_t>(stream.value()));
}
constexpr quic::StreamId quic_stream(session::RemoteStream stream) {
  return quic::StreamId(static_cast<std::int64_t>(stream.value()));
}

}  // namespace orzatty::link
