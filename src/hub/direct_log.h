// A session's own direct log of one channel: messages to it alone. No history: memory comes back
// when the transport has acknowledged, and what it has not is sent again on the next connection.
// One thread.
#pragma once

#include <cstdint>

#include "base/log.h"
#include "base/ring.h"
#include "orzatty/bytes.h"
#include "orzatty/ids.h"
#include "orzatty/limits.h"
#include "orzatty/message.h"
#include "session/scratch.h"
#include "session/session_core.h"
#include "session/transport.h"

namespace orzatty::hub {

class DirectLog {
 public:
  // As large as an outbox that does not grow; the largest message fits.
  explicit DirectLog(const Limits& limits);

  // Goes on at `next`, on a new stream that begins with a preface of that size. What is no longer
  // kept is left out, which the first run shows. False when there was never so much.
  [[nodiscard]] bool open(session::StreamKey stream, std::size_t preface_size, Sequence next);
  // False when it is full: the peer does not read.
  [[nodiscard]] bool append(MessageType type, BytesView payload,
                            const MessageAttributes& attributes = {});
  // False when `marks` has no room until the peer acknowledges some.
  [[nodiscard]] bool refill(session::SendQueue& queue, session::SessionCore& core,
                            session::Scratch& marks);
  // The transport acknowledged so many bytes of the stream, in their order.
  void acked(std::uint64_t size);
  [[nodiscard]] bool has_news() const { return cursor_.position < log_.end().position; }
  [[nodiscard]] session::StreamKey stream() const { return stream_; }
  // Bytes that were not acknowledged.
  [[nodiscard]] std::uint64_t kept_bytes() const { return log_.end().position - kept().position; }

 private:
  explicit DirectLog(std::size_t size_max);

  // A run on the stream of this connection; the first that was not acknowledged is in front.
  struct Run {
    Sequence first;
    base::LogCursor begin;
    std::uint64_t end = 0;  // behind its last byte, on the stream
  };
  [[nodiscard]] base::LogCursor kept() const;

  session::StreamKey stream_;
  base::SegmentPool pool_;
  base::Log log_;
  base::LogCursor cursor_;  // of what was not sent
  Sequence appended_;
  Sequence sent_;
  base::Ring<Run> runs_;
  std::uint64_t stream_bytes_ = 0;  // that were put on the stream
  std::uint64_t acked_bytes_ = 0;   // of them
  Bytes mark_;                      // reused
};

}  // namespace orzatty::hub
