#include "session/scratch.h"

namespace orzatty::session {

Scratch::Scratch(std::size_t size_max)
    : pool_(size_max, kKept),
      log_(pool_, base::SegmentPool::kSizeMin, kSegmentMax),
      written_(log_.end()) {}

bool Scratch::write(BytesView bytes, SendQueue& queue) {
  if (!log_.append(bytes, 0)) return false;
  std::size_t rest = bytes.size();
  while (rest > 0) {
    base::Piece piece = base::Log::take(written_, rest);
    rest -= piece.bytes.size();
    queue.push(std::move(piece));
  }
  log_.trim(written_);  // the queue's pins keep what is needed
  return true;
}

}  // namespace orzatty::session
