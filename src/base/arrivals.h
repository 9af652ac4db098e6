// Which positions have come, when they come in any order: all below next(), and ranges above it. As
// large as what is missing is scattered, whatever the positions. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/ring.h"

namespace orzatty::base {

template <class Position>
class Arrivals {
 public:
  struct Range {
    Position from;
    Position to;
    bool operator==(const Range&) const = default;
  };
  // Positions that are alike: all of them came before, or none did.
  struct Stretch {
    bool known = false;
    std::uint64_t count = 0;
  };

  Arrivals() = default;
  explicit Arrivals(Position next) : next_(next) {}

  // The first position that is missing.
  [[nodiscard]] Position next() const { return next_; }
  // What came above it, ascending; between any two something is missing.
  [[nodiscard]] const Ring<Range>& above() const { return above_; }

  // How `first` stands, and how many of the `count` positions from there on stand alike.
  [[nodiscard]] Stretch look(Position first, std::uint64_t count) const {
    if (first < next_) return {true, std::min<std::uint64_t>(count, next_ - first)};
    const std::size_t at = behind(first);
    if (at == above_.size()) return {false, count};
    const Range& range = above_[at];
    if (range.from <= first) return {true, std::min<std::uint64_t>(count, range.to - first)};
    return {false, std::min<std::uint64_t>(count, range.from - first)};
  }

  // [from, to) came; of some of them that may be known.
  void add(Position from, Position to) {
    if (to <= next_) return;
    if (from <= next_) return advance(to);
    std::size_t at = behind(from);
    if (at > 0 && above_[at - 1].to == from) --at;
    while (at < above_.size() && above_[at].from <= to) {
      from = std::min(from, above_[at].from);
      to = std::max(to, above_[at].to);
      above_.erase(at);
    }
    above_.insert(at, {from, to});
  }

  // Everything below `next` came, or will not.
  void advance(Position next) {
    next_ = std::max(next_, next);
    while (!above_.empty() && above_.front().from <= next_) {
      next_ = std::max(next_, above_.pop_front().to);
    }
    above_.shrink();
  }

 private:
  // The first range that ends behind `position`. O(log n).
  [[nodiscard]] std::size_t behind(Position position) const {
    std::size_t low = 0;
    for (std::size_t high = above_.size(); low < high;) {
      const std::size_t middle = low + (high - low) / 2;
      if (above_[middle].to <= position) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  Position next_{};
  Ring<Range> above_;
};

}  // namespace orzatty::base
