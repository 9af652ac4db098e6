#include "hub/latest_values.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "hub/deadlines.h"

namespace orzatty::hub {

namespace {

constexpr std::uint32_t kHeader = sizeof(base::Segment);

// The smallest segment that holds so much, or else the largest.
std::uint32_t segment_for(std::uint64_t size) {
  for (const std::uint32_t fitting : {512U, 4096U}) {
    if (size <= fitting - kHeader) return fitting;
  }
  return base::SegmentPool::kSizeMax;
}

// Of all segments of a value.
std::uint64_t cost_of(std::uint64_t size) {
  constexpr std::uint64_t kLargest = base::SegmentPool::kSizeMax - kHeader;
  const std::uint64_t rest = size % kLargest;
  return size / kLargest * base::SegmentPool::kSizeMax + (rest > 0 ? segment_for(rest) : 0);
}

void release_chain(base::Segment* segment) {
  while (segment != nullptr) std::exchange(segment, segment->next())->release();
}

}  // namespace

LatestValues::~LatestValues() {
  for (const auto& [offset, value] : values_) release_chain(value.begin.segment);
}

bool LatestValues::admit(const wire::MessageView& message) {
  const auto attributes = wire::decode_attributes(message.attributes);
  const auto known = keys_.find(text_of(attributes->key));
  const bool is_new = known == keys_.end();
  if (is_new && keys_.size() >= bounds_.key_count_max) return false;
  const std::uint64_t cost = cost_of(message.frame_size);
  const bool has_value = !is_new && known->second;
  const std::uint64_t before = has_value ? cost_of(values_.at(*known->second).size) : 0;
  if (cost > before && size_ + cost - before > bounds_.size_max) return false;
  if (!is_new) return true;
  if (!charge_.resize(charge_.size() + key_cost(attributes->key.size()))) return false;
  admitted_.push_back(keys_.emplace(std::string(text_of(attributes->key)), std::nullopt).first);
  return true;
}

// Of the key, and of the places of its value.
std::size_t LatestValues::key_cost(std::size_t size) {
  return base::tree_node_size(sizeof(Keys::value_type)) + base::heap_size(size + 1) +
         base::tree_node_size(sizeof(ByOffset::value_type)) +
         base::tree_node_size(sizeof(Ends::value_type));
}

void LatestValues::forget(Keys::iterator key) {
  static_cast<void>(charge_.resize(charge_.size() - key_cost(key->first.size())));
  keys_.erase(key);
}

bool LatestValues::stage(BytesView frames, Instant now) {
  bool whole = true;
  for (const wire::MessageView& message : wire::MessageRange(frames)) {
    const auto attributes = wire::decode_attributes(message.attributes);
    const auto key = keys_.find(text_of(attributes->key));
    ORZATTY_ASSERT(key != keys_.end());
    LatestValue value{.producer = {},
                      .begin = {},
                      .size = message.frame_size,
                      .expiry = {},
                      .key = &key->first};
    if (attributes->time_to_live) value.expiry = Deadlines::expiry(*attributes->time_to_live, now);
    if (whole) value.begin.segment = copy(frames.first(message.frame_size));
    whole = whole && value.begin.segment != nullptr;
    frames = frames.subspan(message.frame_size);
    staged_.push_back({key, value});
  }
  return whole;
}

base::Segment* LatestValues::copy(BytesView frame) {
  base::Segment* first = nullptr;
  base::Segment* last = nullptr;
  while (!frame.empty()) {
    base::Segment* const segment = pool_.allocate(segment_for(frame.size()));
    if (segment == nullptr) {
      release_chain(first);
      return nullptr;
    }
    const std::size_t size = std::min<std::size_t>(frame.size(), segment->capacity());
    std::memcpy(segment->data(), frame.data(), size);
    frame = frame.subspan(size);
    if (first == nullptr) first = segment;
    if (last != nullptr) last->link(segment);
    last = segment;
  }
  return first;
}

void LatestValues::put(Offset first, base::ProducerNumber producer) {
  for (Staged& staged : staged_) {
    staged.value.producer = producer;
    producers_.value_added(producer);
    size_ += cost_of(staged.value.size);
    set_newest(staged.key, first, staged.value);
    first += 1;
  }
  staged_.clear();
  admitted_.clear();
}

// Nodes are used again, so that a value that takes the place of another allocates nothing.
void LatestValues::set_newest(Keys::iterator key, Offset offset, const LatestValue& value) {
  Ends::node_type end;
  if (key->second) {
    auto entry = values_.extract(*key->second);
    if (entry.mapped().expiry) end = ends_.extract({*entry.mapped().expiry, *key->second});
    release(entry.mapped());
    entry.key() = offset;
    entry.mapped() = value;
    values_.insert(values_.end(), std::move(entry));
  } else {
    values_.emplace_hint(values_.end(), offset, value);
  }
  key->second = offset;
  if (!value.expiry) return;
  if (end) {
    end.value() = {*value.expiry, offset};
    ends_.insert(std::move(end));
  } else {
    ends_.emplace(*value.expiry, offset);
  }
}

void LatestValues::revoke() {
  for (const Staged& staged : staged_) release_chain(staged.value.begin.segment);
  staged_.clear();
  for (const Keys::iterator key : admitted_) forget(key);
  admitted_.clear();
}

void LatestValues::release(const LatestValue& value) {
  size_ -= cost_of(value.size);
  producers_.value_removed(value.producer);
  release_chain(value.begin.segment);
}

std::optional<Offset> LatestValues::newest(std::uint64_t count) const {
  if (count == 0 || values_.empty()) return std::nullopt;
  count = std::min<std::uint64_t>(count, values_.size());
  return std::prev(values_.end(), static_cast<std::ptrdiff_t>(count))->first;
}

std::optional<Instant> LatestValues::next_look() const {
  if (ends_.empty()) return std::nullopt;
  const Duration since = ends_.begin()->first.time_since_epoch();
  return Instant((since + kLookEvery - Duration(1)) / kLookEvery * kLookEvery);
}

void LatestValues::forget_expired(Instant now) {
  if (ends_.empty() || now < *next_look()) return;
  while (!ends_.empty() && ends_.begin()->first <= now) {
    const auto entry = values_.find(ends_.begin()->second);
    ends_.erase(ends_.begin());
    forget(keys_.find(*entry->second.key));
    release(entry->second);
    values_.erase(entry);
  }
}

}  // namespace orzatty::hub
