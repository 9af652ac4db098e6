// A table of things with keys that are never used twice: a key of something gone finds nothing.
// Addresses are stable; iteration is in the order of slots. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace orzatty::base {

struct SlabKey {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // of the slot; the first is 1, so a default key finds nothing
  bool operator==(const SlabKey&) const = default;
};

template <class T>
class Slab {
 public:
  // `make(key)` gives a unique_ptr<T>, and must not insert.
  template <class Make>
  SlabKey insert_with(Make make) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(entries_.size()));
      entries_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    Entry& entry = entries_[slot];
    const SlabKey key{slot, ++entry.generation};
    entry.item = make(key);
    ++size_;
    return key;
  }
  template <class... Arguments>
  SlabKey insert(Arguments&&... arguments) {
    return insert_with(
        [&](SlabKey) { return std::make_unique<T>(std::forward<Arguments>(arguments)...); });
  }

  [[nodiscard]] T* find(SlabKey key) const {
    if (key.slot >= entries_.size()) return nullptr;
    const Entry& entry = entries_[key.slot];
    return entry.generation == key.generation ? entry.item.get() : nullptr;
  }
  void erase(SlabKey key) {
    ORZATTY_ASSERT(find(key) != nullptr);
    entries_[key.slot].item.reset();
    // A slot whose generations are used up is never used again, or a key could be.
    if (key.generation != ~std::uint32_t{0}) free_.push_back(key.slot);
    --size_;
  }
  [[nodiscard]] std::size_t size() const { return size_; }

  // In the order of slots; `visit` must not insert or erase.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::uint32_t slot = 0; slot < entries_.size(); ++slot) {
      const Entry& entry = entries_[slot];
      if (entry.item != nullptr) visit(SlabKey{slot, entry.generation}, *entry.item);
    }
  }

 private:
  struct Entry {
    std::unique_ptr<T> item;
    std::uint32_t generation = 0;
  };
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace orzatty::base
