// A publisher's outbox: a log of framed messages with two cursors, *sent* and *acknowledged*. Memory
// comes back when the peer has accepted a message, so that after a broken connection sending goes on
// where the peer's knowledge ends: rewind() moves *sent* back.
//
// Threads: append() and the other functions of the writer belong to one thread, the application's;
// everything else to the one that runs the session. They may be two, without a lock between them.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/log.h"
#include "base/ring.h"
#include "orzatty/bytes.h"
#include "orzatty/ids.h"
#include "orzatty/message.h"
#include "session/scratch.h"
#include "session/send_queue.h"

namespace orzatty::session {

class Outbox {
 public:
  explicit Outbox(std::size_t size_max);

  // The writer's side. Frames the message once, into the log; false when there is no room now.
  [[nodiscard]] bool append(MessageType type, BytesView payload);
  [[nodiscard]] Sequence next_sequence() const { return next_sequence_; }
  [[nodiscard]] std::uint64_t appended_bytes() const { return appended_bytes_; }

  // The session's side.
  [[nodiscard]] bool has_unsent();
  // Queues what was appended since as one run.
  void fill(SendQueue& queue, Scratch& scratch, std::uint32_t nonce);
  // The peer has all below `next`: memory of whole runs is given back.
  void acknowledged(Sequence next);
  // The connection is gone: everything that was not acknowledged is unsent again.
  void rewind();
  // What is allowed to stand between the writer and the peer (the Governor's word).
  void set_room(std::uint64_t bytes) { room_.store(bytes, std::memory_order_relaxed); }

  // Whether the writer could append that much now.
  [[nodiscard]] bool has_room(std::uint64_t size);

  [[nodiscard]] Sequence sent() const { return Sequence(sent_.messages); }
  [[nodiscard]] Sequence acknowledged() const { return acknowledged_; }
  [[nodiscard]] Sequence published();
  // Appended, but not acknowledged.
  [[nodiscard]] std::uint64_t waiting() { return published() - acknowledged_; }

 private:
  // Where a run began: the places from which sending may start again.
  struct RunStart {
    Sequence first;
    base::LogCursor cursor;
  };

  base::SegmentPool pool_;
  base::Log log_;

  // The writer's.
  Sequence next_sequence_;
  std::uint64_t appended_bytes_ = 0;

  // Between both.
  alignas(64) std::atomic<std::uint64_t> room_;
  std::atomic<std::uint64_t> released_bytes_{0};

  // The session's.
  alignas(64) base::LogCursor cursor_;  // of what was not sent
  base::Published sent_;
  base::Published seen_;
  Sequence acknowledged_;
  base::Ring<RunStart> starts_;
  Bytes header_;  // reused
};

}  // namespace orzatty::session
