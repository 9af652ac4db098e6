// The log: an append-only sequence of framed messages in counted segments. Outbox, channel, history
// and replay are all this one structure, read through cursors.
//
// Threads: one writer appends. Readers, also on another thread, see what was published by one atomic
// word and never write to it. trim() belongs to the reading side, and to one thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/segment.h"
#include "orzatty/bytes.h"

namespace orzatty::base {

// How much of a log can be read: both from the beginning of the log, and consistent.
struct Published {
  std::uint64_t bytes = 0;
  std::uint64_t messages = 0;
};

// A place in a log. Holds no reference: it is valid while the log retains its place.
struct LogCursor {
  Segment* segment = nullptr;
  std::uint32_t offset = 0;    // in the segment
  std::uint64_t position = 0;  // in bytes from the beginning of the log
};

// Bytes that lie in one segment, held in place by a reference of their own.
struct Piece {
  SegmentRef segment;
  BytesView bytes;
};

class Log {
 public:
  // `segment_first` is the size of the first segment; each further one is the next size class.
  Log(SegmentPool& pool, std::uint32_t segment_first);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Writer. Whole or not at all: false when the pool has no room. `messages` is what the bytes count
  // for in Published (one for a message, zero for a mark).
  [[nodiscard]] bool append(BytesView header, BytesView body, std::uint64_t messages);
  [[nodiscard]] bool append(BytesView bytes, std::uint64_t messages) {
    return append(bytes, {}, messages);
  }
  // Where the next byte will be written; a cursor for who shall see what comes. Writer's thread only.
  [[nodiscard]] LogCursor end() const;

  // Readers. What is published now, extended from what this reader `seen` last (see published_).
  [[nodiscard]] Published published(const Published& seen) const;
  // The first retained byte; a cursor for who shall see everything that is kept.
  [[nodiscard]] LogCursor begin() const { return front_; }
  // The bytes at the cursor that lie together, at most `size_max`, and moves the cursor behind them.
  // Only what was published may be asked for, and `size_max` must not be 0.
  [[nodiscard]] static Piece take(LogCursor& cursor, std::size_t size_max);
  // Moves a cursor over `size` published bytes.
  static void skip(LogCursor& cursor, std::uint64_t size);

  // Gives up what lies before `cursor`: whole segments are released.
  void trim(const LogCursor& cursor);

 private:
  // Bytes (40 bits) and messages (24 bits) in one word, so that a reader never sees one without the
  // other, and a writer pays one store per message. Both wrap, and a reader extends them from what it
  // saw last, which holds because no log gets 2^24 messages ahead of its reader: pools are bounded.
  std::atomic<std::uint64_t> published_{0};
};

}  // namespace orzatty::base
