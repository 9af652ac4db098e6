// What a peer has introduced on one stream: numbers of its choice, each with the position that
// comes next. Sorted, because the numbers are the peer's: a hash table it could flood. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace orzatty::wire {

class AliasTable {
 public:
  explicit AliasTable(std::size_t count_max) : count_max_(count_max) {}

  [[nodiscard]] bool full() const { return entries_.size() == count_max_; }

  // False when it is there already.
  bool introduce(std::uint64_t alias, std::uint64_t next) {
    const auto place = place_of(alias);
    if (place != entries_.end() && place->alias == alias) return false;
    entries_.insert(place, {alias, next});
    return true;
  }

  // What comes next of it, nullptr when nobody introduced it. Valid until the next introduction.
  [[nodiscard]] std::uint64_t* find(std::uint64_t alias) {
    const auto place = place_of(alias);
    if (place == entries_.end() || place->alias != alias) return nullptr;
    return &place->next;
  }

 private:
  struct Entry {
    std::uint64_t alias = 0;
    std::uint64_t next = 0;
  };

  std::vector<Entry>::iterator place_of(std::uint64_t alias) {
    // Numbers that count up from 0, which is what we send, stand where they are sought.
    if (alias < entries_.size()) {
      const auto guess = entries_.begin() + static_cast<std::ptrdiff_t>(alias);
      if (guess->alias == alias) return guess;
    }
    return std::ranges::lower_bound(entries_, alias, {}, &Entry::alias);
  }

  std::size_t count_max_;
  std::vector<Entry> entries_;
};

}  // namespace orzatty::wire
