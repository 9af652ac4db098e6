#include "base/log.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace orzatty::base {

namespace {

constexpr std::uint32_t next_class(std::uint32_t size) { return size == 512 ? 4096 : 64 * 1024; }

// A cursor at the end of a full segment stands at the beginning of the next, once there is one to
// read; before bytes beyond it are published, the link must not be looked at.
void normalise(LogCursor& cursor) {
  if (cursor.offset == cursor.segment->capacity()) {
    cursor.segment = cursor.segment->next();
    cursor.offset = 0;
  }
}

}  // namespace

Log::Log(SegmentPool& pool, std::uint32_t segment_first, std::uint32_t segment_max)
    : pool_(pool),
      tail_(pool.allocate(segment_first)),
      segment_size_(std::min(next_class(segment_first), segment_max)),
      segment_max_(segment_max) {
  ORZATTY_ASSERT(tail_ != nullptr);  // a pool holds at least the first segment of each of its logs
  tail_capacity_ = tail_->capacity();
  front_ = {tail_, 0, 0};
}

Log::~Log() {
  for (Segment* segment = front_.segment; segment != nullptr;) {
    Segment* const next = segment == tail_ ? nullptr : segment->next();
    segment->release();
    segment = next;
  }
}

// Takes all the segments that it needs before it writes a byte.
bool Log::append_spanning(BytesView header, BytesView body, std::uint64_t messages) {
  const std::size_t size = header.size() + body.size();
  std::size_t room = tail_capacity_ - tail_used_;
  Segment* first = nullptr;
  Segment* last = nullptr;
  std::uint32_t segment_size = segment_size_;
  while (room < size) {
    Segment* const segment = pool_.allocate(segment_size);
    if (segment == nullptr) {
      for (Segment* taken = first; taken != nullptr;) {
        std::exchange(taken, taken->next())->release();
      }
      return false;
    }
    if (last == nullptr) {
      first = segment;
    } else {
      last->link(segment);
    }
    last = segment;
    room += segment->capacity();
    segment_size = std::min(next_class(segment_size), segment_max_);
  }
  segment_size_ = segment_size;
  put_spanning(header, first);
  put_spanning(body, first);
  publish(size, messages);
  return true;
}

void Log::put_spanning(BytesView bytes, Segment*& more) {
  while (!bytes.empty()) {
    if (tail_used_ == tail_capacity_) {
      Segment* const next = std::exchange(more, more->next());
      tail_->link(next);
      tail_ = next;
      tail_capacity_ = next->capacity();
      tail_used_ = 0;
    }
    const std::size_t step = std::min<std::size_t>(bytes.size(), tail_capacity_ - tail_used_);
    put(bytes.first(step));
    bytes = bytes.subspan(step);
  }
}

Piece Log::take(LogCursor& cursor, std::size_t size_max) {
  ORZATTY_ASSERT(size_max > 0);
  normalise(cursor);
  const std::size_t size =
      std::min<std::size_t>(size_max, cursor.segment->capacity() - cursor.offset);
  Piece piece{SegmentRef(*cursor.segment), BytesView(cursor.segment->data() + cursor.offset, size)};
  cursor.offset += static_cast<std::uint32_t>(size);
  cursor.position += size;
  return piece;
}

void Log::skip(LogCursor& cursor, std::uint64_t size) {
  cursor.position += size;
  while (size > 0) {
    normalise(cursor);
    const std::uint64_t step =
        std::min<std::uint64_t>(size, cursor.segment->capacity() - cursor.offset);
    cursor.offset += static_cast<std::uint32_t>(step);
    size -= step;
  }
}

void Log::trim(const LogCursor& cursor) {
  ORZATTY_ASSERT(cursor.position >= front_.position);
  while (front_.segment != cursor.segment) {
    std::exchange(front_.segment, front_.segment->next())->release();
  }
  front_ = cursor;
}

// The writer links its last segment alone, and `to` lies in that one or before it.
void Log::drop(const LogCursor& from, const LogCursor& to) {
  if (from.segment == to.segment) return;
  for (Segment* segment = from.segment->next(); segment != to.segment;) {
    std::exchange(segment, segment->next())->release();
  }
  from.segment->link(to.segment);
}

}  // namespace orzatty::base
