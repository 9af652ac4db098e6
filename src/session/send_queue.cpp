#include "session/send_queue.h"

#include <algorithm>

#include "base/assert.h"

namespace orzatty::session {

void SendQueue::push(base::Piece piece) {
  ORZATTY_ASSERT(!piece.bytes.empty());
  unsent_ += piece.bytes.size();
  pieces_.push_back(std::move(piece));
}

std::size_t SendQueue::peek(std::span<BytesView> out) const {
  std::size_t count = 0;
  std::size_t offset = next_offset_;
  for (std::size_t i = next_; i < pieces_.size() && count < out.size(); ++i) {
    out[count++] = pieces_[i].bytes.subspan(offset);
    offset = 0;
  }
  return count;
}

void SendQueue::taken(std::uint64_t size) {
  ORZATTY_ASSERT(size <= unsent_);
  unsent_ -= size;
  in_flight_ += size;
  while (size > 0) {
    const std::uint64_t rest = pieces_[next_].bytes.size() - next_offset_;
    const std::uint64_t step = std::min(size, rest);
    next_offset_ += step;
    size -= step;
    if (step == rest) {
      ++next_;
      next_offset_ = 0;
    }
  }
}

// spec: CREDIT-4
void SendQueue::acked(std::uint64_t size) {
  ORZATTY_ASSERT(size <= in_flight_);
  in_flight_ -= size;
  while (size > 0) {
    const std::uint64_t rest = pieces_.front().bytes.size() - acked_offset_;
    const std::uint64_t step = std::min(size, rest);
    acked_offset_ += step;
    size -= step;
    if (step == rest) {
      pieces_.pop_front();
      acked_offset_ = 0;
      ORZATTY_ASSERT(next_ > 0);
      --next_;
    }
  }
}

void SendQueue::clear() {
  pieces_.clear();
  next_ = next_offset_ = acked_offset_ = 0;
  unsent_ = in_flight_ = 0;
}

}  // namespace orzatty::session
