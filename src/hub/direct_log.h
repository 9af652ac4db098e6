// A peer's own direct log of one channel: messages to that session alone. No history: memory comes
// back when the transport has acknowledged. One thread.
#pragma once

#include <cstdint>

#include "base/log.h"
#include "orzatty/bytes.h"
#include "orzatty/message.h"
#include "session/scratch.h"
#include "session/session_core.h"
#include "session/transport.h"

namespace orzatty::hub {

class DirectLog {
 public:
  DirectLog(session::StreamKey stream, std::size_t size_max);

  // False when it is full: the peer does not read.
  [[nodiscard]] bool append(MessageType type, BytesView payload);
  // False when `marks` has no room until the peer acknowledges some.
  [[nodiscard]] bool refill(session::SendQueue& queue, session::SessionCore& core,
                            session::Scratch& marks);
  [[nodiscard]] bool has_news() const { return cursor_.position < log_.end().position; }
  [[nodiscard]] session::StreamKey stream() const { return stream_; }

 private:
  session::StreamKey stream_;
  base::SegmentPool pool_;
  base::Log log_;
  base::LogCursor cursor_;
  std::uint64_t appended_ = 0;  // messages
  std::uint64_t sent_ = 0;      // messages
  Bytes mark_;                  // reused
};

}  // namespace orzatty::hub
