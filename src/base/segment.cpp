#include "base/segment.h"

#include <new>

#include "base/assert.h"
#include "base/planted.h"

namespace orzatty::base {

namespace {

constexpr std::align_val_t kAlignment{64};

constexpr std::size_t class_of(std::uint32_t size) {
  if (size == 512) return 0;
  if (size == 4096) return 1;
  return 2;
}

void* memory(std::size_t size) {
  void* const memory = ::operator new(size, kAlignment, std::nothrow);
  if (memory == nullptr) memory_exhausted(size);
  return memory;
}

}  // namespace

void Segment::release() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) pool_->take_back(*this);
}

SegmentPool::SegmentPool(std::size_t capacity, std::size_t keep)
    : capacity_(capacity), keep_(keep) {}

SegmentPool::~SegmentPool() {
  collect();
  ORZATTY_ASSERT(in_use() == 0);
  for (Segment* segment : free_) {
    while (segment != nullptr) destroy(*std::exchange(segment, segment->next_free_));
  }
}

Segment* SegmentPool::allocate(std::uint32_t size) {
  ORZATTY_ASSERT(size == 512 || size == 4096 || size == kSizeMax);
  if (returned_.load(std::memory_order_relaxed) != nullptr) collect();
  if (!charge(size)) return nullptr;

  const std::uint32_t capacity = size - static_cast<std::uint32_t>(sizeof(Segment));
  Segment*& free = free_[class_of(size)];
  if (free == nullptr) return new (memory(size)) Segment(*this, capacity);
  Segment* const segment = std::exchange(free, free->next_free_);
  kept_ -= size;
  segment->next_ = segment->next_free_ = nullptr;
  segment->references_.store(1, std::memory_order_relaxed);
  return segment;
}

bool SegmentPool::charge(std::size_t size) {
  if (in_use() + size > capacity_ && !planted(PlantedBug::kLimitIsNotKept)) return false;
  in_use_.fetch_add(size, std::memory_order_relaxed);
  return true;
}

void SegmentPool::refund(std::size_t size) { in_use_.fetch_sub(size, std::memory_order_relaxed); }

std::size_t SegmentPool::room() const {
  const std::size_t used = in_use();
  return used < capacity_ ? capacity_ - used : 0;
}

// The last reference is gone, in whichever thread that was.
void SegmentPool::take_back(Segment& segment) {
  in_use_.fetch_sub(size_of(segment), std::memory_order_relaxed);
  Segment* top = returned_.load(std::memory_order_relaxed);
  do {
    segment.next_free_ = top;
  } while (!returned_.compare_exchange_weak(top, &segment, std::memory_order_release,
                                            std::memory_order_relaxed));
}

// The writer's: only it empties the stack, and all at once, so no segment can come back meanwhile.
void SegmentPool::collect() {
  Segment* segment = returned_.exchange(nullptr, std::memory_order_acquire);
  while (segment != nullptr) {
    Segment& taken = *std::exchange(segment, segment->next_free_);
    const std::uint32_t size = size_of(taken);
    if (kept_ + size > keep_) {
      destroy(taken);
      continue;
    }
    kept_ += size;
    taken.next_free_ = std::exchange(free_[class_of(size)], &taken);
  }
}

std::uint32_t SegmentPool::size_of(const Segment& segment) {
  return segment.capacity_ + static_cast<std::uint32_t>(sizeof(Segment));
}

void SegmentPool::destroy(Segment& segment) {
  const std::uint32_t size = size_of(segment);
  segment.~Segment();
  ::operator delete(&segment, size, kAlignment);
}

}  // namespace orzatty::base
