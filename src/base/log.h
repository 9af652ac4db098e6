// The log: an append-only sequence of framed messages in counted segments. Outbox, channel, history
// and replay are all this one structure, read through cursors.
//
// Threads: one writer appends. Readers, also on another thread, see what was published by one
// atomic word and never write to it. trim() belongs to the reading side, and to one thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/segment.h"
#include "base/short_header.h"
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
  // `segment_first` is the size of the first segment; each further one is the next size class, up
  // to `segment_max`.
  Log(SegmentPool& pool, std::uint32_t segment_first,
      std::uint32_t segment_max = SegmentPool::kSizeMax);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Writer. Whole or not at all: false when the pool has no room. `messages` is what the bytes
  // count for in Published (one for a message, zero for a mark).
  [[nodiscard]] bool append(BytesView header, BytesView body, std::uint64_t messages) {
    const std::size_t size = header.size() + body.size();
    if (size > tail_capacity_ - tail_used_) [[unlikely]] {
      return append_spanning(header, body, messages);
    }
    put(header);
    put(body);
    publish(size, messages);
    return true;
  }
  [[nodiscard]] bool append(BytesView bytes, std::uint64_t messages) {
    return append(bytes, {}, messages);
  }
  [[nodiscard]] bool append(const ShortHeader& header, BytesView body, std::uint64_t messages) {
    if (ShortHeader::kSizeMax + body.size() > tail_capacity_ - tail_used_) [[unlikely]] {
      std::array<std::byte, ShortHeader::kSizeMax> bytes;
      std::memcpy(bytes.data(), &header.bytes, bytes.size());
      return append(BytesView(bytes).first(header.size), body, messages);
    }
    // All four bytes: what is too much is overwritten, or not published.
    std::memcpy(tail_->data() + tail_used_, &header.bytes, ShortHeader::kSizeMax);
    tail_used_ += header.size;
    put(body);
    publish(header.size + body.size(), messages);
    return true;
  }
  // Where the next byte will be written; a cursor for who shall see what comes. Writer's thread
  // only.
  [[nodiscard]] LogCursor end() const { return {tail_, tail_used_, written_.bytes}; }

  // Readers. What is published now, extended from what this reader `seen` last (see published_).
  [[nodiscard]] Published published(const Published& seen) const {
    const std::uint64_t word = published_.load(std::memory_order_acquire);
    return {.bytes = seen.bytes + (((word >> kMessageBits) - seen.bytes) & kByteMask),
            .messages = seen.messages + ((word - seen.messages) & kMessageMask)};
  }
  // The first retained byte; a cursor for who shall see everything that is kept.
  [[nodiscard]] LogCursor begin() const { return front_; }
  // The bytes at the cursor that lie together, at most `size_max`, and moves the cursor behind
  // them. Only what was published may be asked for, and `size_max` must not be 0.
  [[nodiscard]] static Piece take(LogCursor& cursor, std::size_t size_max);
  // Moves a cursor over `size` published bytes.
  static void skip(LogCursor& cursor, std::uint64_t size);

  // Gives up what lies before `cursor`: whole segments are released.
  void trim(const LogCursor& cursor);
  // Gives up what lies between the two: the segments that hold nothing else are released. From then
  // on no cursor may be moved from before `to` to behind it. Belongs to who trims.
  void drop(const LogCursor& from, const LogCursor& to);

 private:
  static constexpr unsigned kMessageBits = 24;
  static constexpr std::uint64_t kMessageMask = (std::uint64_t{1} << kMessageBits) - 1;
  static constexpr std::uint64_t kByteMask = (std::uint64_t{1} << (64 - kMessageBits)) - 1;

  void put(BytesView bytes) {
    if (bytes.empty()) return;
    std::memcpy(tail_->data() + tail_used_, bytes.data(), bytes.size());
    tail_used_ += static_cast<std::uint32_t>(bytes.size());
  }
  void publish(std::size_t size, std::uint64_t messages) {
    written_.bytes += size;
    written_.messages += messages;
    published_.store(written_.bytes << kMessageBits | (written_.messages & kMessageMask),
                     std::memory_order_release);
  }
  [[nodiscard]] bool append_spanning(BytesView header, BytesView body, std::uint64_t messages);
  void put_spanning(BytesView bytes, Segment*& more);

  // The writer's.
  SegmentPool& pool_;
  Segment* tail_;
  std::uint32_t tail_used_ = 0;
  std::uint32_t tail_capacity_ = 0;  // a copy: readers that pin the tail write to its header
  std::uint32_t segment_size_;       // of the next one
  std::uint32_t segment_max_;
  Published written_;

  // The trimming reader's.
  alignas(64) LogCursor front_;

  // Bytes (40 bits) and messages (24 bits) in one word, so that a reader never sees one without the
  // other, and a writer pays one store per message. Both wrap, and a reader extends them from what
  // it saw last, which holds because no log gets 2^24 messages ahead of its reader: pools are
  // bounded.
  alignas(64) std::atomic<std::uint64_t> published_{0};
};

}  // namespace orzatty::base
