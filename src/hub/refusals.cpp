#include "hub/refusals.h"

namespace orzatty::hub {

void Refusals::add(const Range& range) {
  if (!ranges_.empty() && ranges_.back().to == range.from && ranges_.back().code == range.code) {
    ranges_.back().to = range.to;
    return;
  }
  ranges_.push_back(range);
  if (ranges_.size() > kCountMax) forgotten_below_ = ranges_.pop_front().to;
}

void Refusals::forget_below(Sequence settled) {
  while (!ranges_.empty() && ranges_.front().to <= settled) {
    forgotten_below_ = ranges_.pop_front().to;
  }
}

std::optional<Refusals::Range> Refusals::find(Sequence sequence) const {
  std::size_t low = 0;  // the first range that ends behind `sequence`
  for (std::size_t high = ranges_.size(); low < high;) {
    const std::size_t middle = low + (high - low) / 2;
    if (ranges_[middle].to <= sequence) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == ranges_.size()) return std::nullopt;
  return ranges_[low];
}

}  // namespace orzatty::hub
