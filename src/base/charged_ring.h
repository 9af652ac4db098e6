// A ring whose memory counts towards the capacity of a pool: for what others can make as long as
// they like. One thread, that of the pool's writer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/assert.h"
#include "base/charge.h"
#include "base/ring.h"

namespace orzatty::base {

template <class T>
class ChargedRing : private Ring<T> {
 public:
  // `item_size` when other memory grows with each item.
  explicit ChargedRing(SegmentPool& pool, std::size_t item_size = sizeof(T))
      : charge_(pool), item_size_(item_size) {}

  using Ring<T>::back;
  using Ring<T>::empty;
  using Ring<T>::erase;
  using Ring<T>::front;
  using Ring<T>::operator[];
  using Ring<T>::pop_back;
  using Ring<T>::pop_front;
  using Ring<T>::size;

  // Room for so many items more, before push_back() or insert(); false when the pool has none.
  [[nodiscard]] bool make_room(std::size_t count = 1) {
    const std::size_t capacity = Ring<T>::capacity();
    if (size() + count <= capacity) return true;
    std::size_t grown = std::max(capacity, kCapacityMin);
    while (grown < size() + count) grown *= 2;
    if (!charge_.resize(grown * item_size_)) return false;
    Ring<T>::set_capacity(grown);
    return true;
  }
  void push_back(T item) {
    ORZATTY_ASSERT(size() < Ring<T>::capacity());
    Ring<T>::push_back(std::move(item));
  }
  void insert(std::size_t index, T item) {
    ORZATTY_ASSERT(size() < Ring<T>::capacity());
    Ring<T>::insert(index, std::move(item));
  }
  void shrink() {
    Ring<T>::shrink();
    static_cast<void>(charge_.resize(Ring<T>::capacity() * item_size_));  // less is never refused
  }

 private:
  static constexpr std::size_t kCapacityMin = 2;  // there are many that hold next to nothing

  Charge charge_;
  const std::size_t item_size_;
};

}  // namespace orzatty::base
