// A queue in one block of memory that grows when it must and is reused otherwise, so that a steady
// flow through it allocates nothing. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "base/assert.h"

namespace orzatty::base {

template <class T>
class Ring {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  // Counted from the front.
  [[nodiscard]] T& operator[](std::size_t index) {
    ORZATTY_ASSERT(index < size_);
    return items_[(head_ + index) & (capacity_ - 1)];
  }
  [[nodiscard]] const T& operator[](std::size_t index) const {
    ORZATTY_ASSERT(index < size_);
    return items_[(head_ + index) & (capacity_ - 1)];
  }
  [[nodiscard]] T& front() { return (*this)[0]; }
  [[nodiscard]] const T& front() const { return (*this)[0]; }
  [[nodiscard]] T& back() { return (*this)[size_ - 1]; }
  [[nodiscard]] const T& back() const { return (*this)[size_ - 1]; }

  void push_back(T item) {
    if (size_ == capacity_) set_capacity(grown());
    items_[(head_ + size_) & (capacity_ - 1)] = std::move(item);
    ++size_;
  }
  T pop_front() {
    T item = std::exchange(front(), T{});
    head_ = (head_ + 1) & (capacity_ - 1);
    --size_;
    return item;
  }
  T pop_back() {
    T item = std::exchange(back(), T{});
    --size_;
    return item;
  }
  // These two move what lies between there and the nearer end.
  void insert(std::size_t index, T item) {
    ORZATTY_ASSERT(index <= size_);
    if (size_ == capacity_) set_capacity(grown());
    const bool near_back = index >= size_ / 2;
    if (!near_back) head_ = (head_ + capacity_ - 1) & (capacity_ - 1);
    ++size_;
    if (near_back) {
      for (std::size_t at = size_ - 1; at > index; --at) (*this)[at] = std::move((*this)[at - 1]);
    } else {
      for (std::size_t at = 0; at < index; ++at) (*this)[at] = std::move((*this)[at + 1]);
    }
    (*this)[index] = std::move(item);
  }
  void erase(std::size_t index) {
    ORZATTY_ASSERT(index < size_);
    if (index >= size_ / 2) {
      for (std::size_t at = index; at + 1 < size_; ++at) (*this)[at] = std::move((*this)[at + 1]);
      pop_back();
    } else {
      for (std::size_t at = index; at > 0; --at) (*this)[at] = std::move((*this)[at - 1]);
      pop_front();
    }
  }
  void clear() {
    while (!empty()) pop_front();
  }
  // To a power of two, in which there is room for all.
  void set_capacity(std::size_t capacity) {
    ORZATTY_ASSERT(capacity >= size_);
    auto items = std::make_unique<T[]>(capacity);
    for (std::size_t i = 0; i < size_; ++i) items[i] = std::move((*this)[i]);
    items_ = std::move(items);
    capacity_ = capacity;
    head_ = 0;
  }
  // Gives back what is hardly used; call it when items went. As many have to go before as come again
  // until it grows, so that costs nothing to speak of; and what is small stays, for a steady flow.
  void shrink() {
    constexpr std::size_t kCapacityKept = 64;
    std::size_t capacity = capacity_;
    while (capacity > kCapacityKept && size_ <= capacity / 8) capacity /= 2;
    if (capacity < capacity_) set_capacity(capacity);
  }

 private:
  [[nodiscard]] std::size_t grown() const { return capacity_ == 0 ? 8 : capacity_ * 2; }

  std::unique_ptr<T[]> items_;
  std::size_t capacity_ = 0;  // a power of two
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace orzatty::base
