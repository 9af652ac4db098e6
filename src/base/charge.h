// What a structure takes beside the segments of a pool, of that pool's capacity: given back at its
// end. One thread, that of the pool's writer; the pool outlives it.
#pragma once

#include <cstddef>

#include "base/segment.h"

namespace orzatty::base {

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
