#include "session/consumed_collector.h"

#include <algorithm>

namespace orzatty::session {

void ConsumedCollector::consumed(const wire::ConsumedPosition& position, std::uint64_t bytes,
                                 std::uint32_t nonce, Instant now) {
  frame_.nonce = nonce;
  bytes_ += bytes;
  if (!due_at_) due_at_ = now + kDelay;
  const auto known = std::ranges::find_if(frame_.positions, [&](const auto& other) {
    return other.subscription == position.subscription && other.alias == position.alias;
  });
  if (known == frame_.positions.end()) {
    frame_.positions.push_back(position);
  } else {
    known->next = position.next;
  }
}

bool ConsumedCollector::due(Instant now) const {
  if (!due_at_) return false;
  return now >= *due_at_ || bytes_ >= every_bytes_ || full();
}

void ConsumedCollector::clear() {
  frame_.positions.clear();
  bytes_ = 0;
  due_at_.reset();
}

}  // namespace orzatty::session
