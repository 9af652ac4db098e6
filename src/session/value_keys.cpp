#include "session/value_keys.h"

#include "base/planted.h"

namespace orzatty::session {

bool ValueKeys::admits(BytesView key) const {
  return numbers_.size() < kKeyCountMax || numbers_.contains(text_of(key));
}

bool ValueKeys::has_place() const {
  const std::uint64_t made = made_.load(std::memory_order_relaxed);
  return made - taken_.load(std::memory_order_acquire) < kNoteCount;
}

void ValueKeys::note(BytesView key, std::uint64_t size) {
  auto number = numbers_.find(text_of(key));
  if (number == numbers_.end()) {
    const auto next = static_cast<std::uint32_t>(numbers_.size());
    number = numbers_.emplace(std::string(text_of(key)), next).first;
  }
  const std::uint64_t made = made_.load(std::memory_order_relaxed);
  notes_[made % kNoteCount] = {.key = number->second, .size = static_cast<std::uint32_t>(size)};
  made_.store(made + 1, std::memory_order_release);
}

const base::Published& ValueKeys::look() {
  const std::uint64_t made = made_.load(std::memory_order_acquire);
  for (; seen_.messages < made; ++seen_.messages) {
    const Note& note = notes_[seen_.messages % kNoteCount];
    if (newest_.size() <= note.key) newest_.resize(note.key + 1);
    newest_[note.key] = seen_.messages;
    seen_.bytes += note.size;
    waiting_.push_back(note);
  }
  taken_.store(made, std::memory_order_release);
  return seen_;
}

bool ValueKeys::superseded(std::size_t index) const {
  constexpr std::uint64_t kEvery = 64;
  const bool skips = base::planted(base::PlantedBug::kNewestIsSkipped);
  if (skips && (passed_ + index) % kEvery == 1) return true;
  return newest_[waiting_[index].key] > passed_ + index;
}

base::Published ValueKeys::end_of_superseded(base::Published from) const {
  for (std::size_t i = 0; i < waiting_.size() && superseded(i); ++i) {
    from.bytes += waiting_[i].size;
    ++from.messages;
  }
  return from;
}

base::Published ValueKeys::end_of_newest(base::Published from, std::uint64_t size_max) const {
  const std::uint64_t end = from.bytes + size_max;
  for (std::size_t i = 0; i < waiting_.size() && from.bytes < end && !superseded(i); ++i) {
    from.bytes += waiting_[i].size;
    ++from.messages;
  }
  return from;
}

void ValueKeys::pass(std::uint64_t messages) {
  for (; passed_ < messages; ++passed_) waiting_.pop_front();
}

}  // namespace orzatty::session
