#include "hub/deadlines.h"

#include "wire/message.h"

namespace orzatty::hub {

namespace {

// Later than this is never.
constexpr std::chrono::milliseconds kTimeToLiveMax = std::chrono::hours(24 * 365);

}  // namespace

std::optional<Instant> Deadlines::expiry(std::chrono::milliseconds time_to_live, Instant now) {
  if (time_to_live > kTimeToLiveMax) return std::nullopt;
  const Duration since = (now + time_to_live).time_since_epoch();
  return Instant((since + kStep - Duration(1)) / kStep * kStep);
}

base::LogCursor Deadlines::Group::end_cursor() const {
  base::LogCursor cursor = begin;
  base::Log::skip(cursor, end - begin.position);
  return cursor;
}

bool Deadlines::make_room(BytesView frames) {
  std::size_t count = 0;
  for (const wire::MessageView& message : wire::MessageRange(frames)) {
    if (message.attributes.empty()) continue;
    const auto attributes = wire::decode_attributes(message.attributes);
    if (attributes && attributes->time_to_live) ++count;
  }
  return make_room(count);
}

bool Deadlines::make_room(std::size_t count) {
  return groups_.make_room(std::min(count, kCountMax - groups_.size()));
}

// spec: DEADLINE-2
void Deadlines::note(BytesView frames, Offset first, base::LogCursor begin, Instant now) {
  Offset offset = first;
  for (const wire::MessageView& message : wire::MessageRange(frames)) {
    if (!message.attributes.empty()) {
      const auto attributes = wire::decode_attributes(message.attributes);
      if (attributes && attributes->time_to_live) {
        note(*attributes->time_to_live, offset, begin, message.frame_size, now);
      }
    }
    base::Log::skip(begin, message.frame_size);
    offset += 1;
  }
}

void Deadlines::note(std::chrono::milliseconds time_to_live, Offset offset,
                     const base::LogCursor& begin, std::uint64_t size, Instant now) {
  const auto at = expiry(time_to_live, now);
  if (!at) return;
  if (!groups_.empty()) {
    Group& last = groups_.back();
    if (last.to == offset && last.at == *at && last.end - last.begin.position < kGroupBytes) {
      last.to += 1;
      last.end = begin.position + size;
      return;
    }
  }
  if (groups_.size() == kCountMax) return;
  groups_.push_back(
      {.from = offset, .to = offset + 1, .at = *at, .begin = begin, .end = begin.position + size});
}

void Deadlines::forget_below(Offset first) {
  while (!groups_.empty() && groups_.front().to <= first) groups_.pop_front();
  groups_.shrink();
}

std::size_t Deadlines::find(Offset offset) const {
  std::size_t low = 0;
  for (std::size_t high = groups_.size(); low < high;) {
    const std::size_t middle = low + (high - low) / 2;
    if (groups_[middle].to <= offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace orzatty::hub
