// What a structure takes beside the segments of a pool, of that pool's capacity: given back at its
// end. One thread, that of the pool's writer; the pool outlives it.
#pragma once

#include <cstddef>

#include "base/segment.h"

namespace orzatty::base {

// What a heap takes for so much: it keeps a word for itself and gives out 16 bytes at a time.
constexpr std::size_t heap_size(std::size_t size) {
  constexpr std::size_t kStep = 16;
  return (size + sizeof(std::size_t) + kStep - 1) / kStep * kStep;
}
// And for a node of a tree.
constexpr std::size_t tree_node_size(std::size_t value_size) {
  return heap_size(4 * sizeof(void*) + value_size);
}

class Charge {
 public:
  explicit Charge(SegmentPool& pool) : pool_(pool) {}
  ~Charge() { pool_.refund(size_); }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;

  // False, and as it was, when there is no room for so much.
  [[nodiscard]] bool resize(std::size_t size) {
    if (size > size_ && !pool_.charge(size - size_)) return false;
    if (size < size_) pool_.refund(size_ - size);
    size_ = size;
    return true;
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  SegmentPool& pool_;
  std::size_t size_ = 0;
};

}  // namespace orzatty::base
