#include "hub/refusals.h"

#include <algorithm>

namespace orzatty::hub {

Refusals::~Refusals() {
  if (budget_ != nullptr) budget_->count -= charged_;
}

void Refusals::add(const Range& range, Budget& budget) {
  const auto place = std::ranges::upper_bound(ranges_, range.from, {}, &Range::to);
  if (place != ranges_.begin()) {
    Range& before = *std::prev(place);
    if (before.to == range.from && before.code == range.code) {
      before.to = range.to;
      return;
    }
  }
  budget_ = &budget;
  ranges_.insert(place, range);
  const bool used_up = budget.count >= budget.count_max;
  const std::size_t count_max = used_up ? std::max(kCountMin, ranges_.size() - 1) : kCountMax;
  if (ranges_.size() > count_max) forget_oldest(ranges_.size() - count_max);
  charge();
}

void Refusals::forget_below(Sequence settled) {
  const auto kept = std::ranges::upper_bound(ranges_, settled, {}, &Range::to);
  if (kept == ranges_.begin()) return;
  forget_oldest(static_cast<std::size_t>(kept - ranges_.begin()));
  // shrink_to_fit() does nothing where there are no exceptions.
  if (ranges_.capacity() > 4 * ranges_.size()) ranges_ = std::vector(ranges_.begin(), ranges_.end());
  charge();
}

void Refusals::forget_oldest(std::size_t count) {
  const auto kept = ranges_.begin() + static_cast<std::ptrdiff_t>(count);
  forgotten_below_ = std::max(forgotten_below_, std::prev(kept)->to);
  ranges_.erase(ranges_.begin(), kept);
}

void Refusals::charge() {
  budget_->count = budget_->count - charged_ + ranges_.capacity();
  charged_ = ranges_.capacity();
}

std::optional<Refusals::Range> Refusals::find(Sequence sequence) const {
  const auto found = std::ranges::upper_bound(ranges_, sequence, {}, &Range::to);
  if (found == ranges_.end()) return std::nullopt;
  return *found;
}

}  // namespace orzatty::hub
