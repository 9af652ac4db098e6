#include "session/outbox.h"

#include <array>

#include "base/assert.h"
#include "wire/message.h"
#include "wire/run.h"

namespace orzatty::session {

Outbox::Outbox(std::size_t size_max)
    // The pool holds what waits, plus the segment being written and one partly acknowledged.
    : pool_(size_max + 2 * base::SegmentPool::kSizeMax, size_max),
      log_(pool_, base::SegmentPool::kSizeMin),
      room_(size_max),
      cursor_(log_.begin()) {}

bool Outbox::append(MessageType type, BytesView payload) {
  std::array<std::byte, 16> header;
  const std::size_t header_size = wire::encode_message_header(header, type, payload.size());
  const std::uint64_t size = header_size + payload.size();
  const std::uint64_t waiting = appended_bytes_ - released_bytes_.load(std::memory_order_acquire);
  // An empty outbox takes any message, or one larger than the room could never be sent.
  if (waiting != 0 && waiting + size > room_.load(std::memory_order_relaxed)) return false;
  if (!log_.append(BytesView(header).first(header_size), payload, 1)) return false;
  appended_bytes_ += size;
  next_sequence_ += 1;
  return true;
}

bool Outbox::has_unsent() {
  seen_ = log_.published(seen_);
  return seen_.messages != sent_.messages;
}

Sequence Outbox::published() {
  seen_ = log_.published(seen_);
  return Sequence(seen_.messages);
}

bool Outbox::has_room(std::uint64_t size) {
  seen_ = log_.published(seen_);
  const std::uint64_t waiting = seen_.bytes - released_bytes_.load(std::memory_order_relaxed);
  return waiting == 0 || waiting + size <= room_.load(std::memory_order_relaxed);
}

// spec: STREAM-5, PUBLISH-1
void Outbox::fill(SendQueue& queue, Scratch& scratch, std::uint32_t nonce) {
  if (!has_unsent()) return;
  std::uint64_t rest = seen_.bytes - sent_.bytes;
  header_.clear();
  wire::encode(wire::Run{.channel = ChannelAlias(0),
                         .producer = ProducerAlias(0),
                         .first = sent_.messages,
                         .size = rest,
                         .nonce = nonce},
               header_);
  if (!scratch.write(header_, queue)) return;
  starts_.push_back({Sequence(sent_.messages), cursor_});
  sent_ = seen_;
  while (rest > 0) {
    base::Piece piece = base::Log::take(cursor_, rest);
    rest -= piece.bytes.size();
    queue.push(std::move(piece));
  }
}

void Outbox::acknowledged(Sequence next) {
  if (next <= acknowledged_) return;
  acknowledged_ = next;
  // The start of the run that holds `next`, or the end of everything sent.
  while (starts_.size() > 1 && starts_[1].first <= next) starts_.pop_front();
  base::LogCursor cursor = cursor_;
  if (next < Sequence(sent_.messages) || starts_.empty()) {
    if (starts_.empty()) return;
    cursor = starts_.front().cursor;
  } else {
    starts_.clear();
  }
  log_.trim(cursor);
  released_bytes_.store(cursor.position, std::memory_order_release);
}

void Outbox::rewind() {
  if (starts_.empty()) return;
  cursor_ = starts_.front().cursor;
  sent_ = {.bytes = cursor_.position, .messages = starts_.front().first.value()};
  starts_.clear();
}

}  // namespace orzatty::session
