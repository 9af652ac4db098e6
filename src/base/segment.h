// Segments: the pieces of memory that logs are made of, and the pool that they come from.
//
// A segment is counted: the log that wrote it holds one reference while it retains it, and
// everybody who gave its bytes to a transport holds one until those bytes are acknowledged. The
// last reference returns it to its pool, from whichever thread that happens to be.
//
// Threads: one thread, the writer's, allocates from a pool; any thread may release. The pool must
// outlive its segments.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace orzatty::base {

class SegmentPool;

class alignas(64) Segment {
 public:
  [[nodiscard]] std::byte* data() { return reinterpret_cast<std::byte*>(this + 1); }
  [[nodiscard]] std::uint32_t capacity() const { return capacity_; }
  // The segment after this one in its log; safe to read once bytes beyond this one are published.
  [[nodiscard]] Segment* next() const { return next_; }
  void link(Segment* next) { next_ = next; }

  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  void release();

 private:
  friend class SegmentPool;
  Segment(SegmentPool& pool, std::uint32_t capacity) : pool_(&pool), capacity_(capacity) {}

  SegmentPool* pool_;
  Segment* next_ = nullptr;       // in its log
  Segment* next_free_ = nullptr;  // in its pool
  std::atomic<std::uint32_t> references_{1};
  std::uint32_t capacity_;
};

// A counted reference.
class SegmentRef {
 public:
  SegmentRef() = default;
  explicit SegmentRef(Segment& segment) : segment_(&segment) { segment.retain(); }
  SegmentRef(SegmentRef&& other) noexcept : segment_(std::exchange(other.segment_, nullptr)) {}
  SegmentRef& operator=(SegmentRef&& other) noexcept {
    std::swap(segment_, other.segment_);
    return *this;
  }
  SegmentRef(const SegmentRef&) = delete;
  SegmentRef& operator=(const SegmentRef&) = delete;
  ~SegmentRef() {
    if (segment_ != nullptr) segment_->release();
  }
  [[nodiscard]] Segment* get() const { return segment_; }

 private:
  Segment* segment_ = nullptr;
};

// Segments in size classes, recycled. `capacity` bounds what is out at any time, `keep` what is
// kept for reuse when it comes back (a working set that stays in cache).
class SegmentPool {
 public:
  static constexpr std::uint32_t kSizeMin = 512;        // a million quiet channels stay cheap
  static constexpr std::uint32_t kSizeMax = 64 * 1024;  // a GSO burst

  SegmentPool(std::size_t capacity, std::size_t keep);
  ~SegmentPool();
  SegmentPool(const SegmentPool&) = delete;
  SegmentPool& operator=(const SegmentPool&) = delete;

  // A segment of `size` bytes in all (a size class: 512, 4096 or 65,536; header included), with one
  // reference; nullptr when the capacity does not allow it.
  [[nodiscard]] Segment* allocate(std::uint32_t size);
  // Memory beside segments that counts as if it were some: false when the capacity does not allow it.
  [[nodiscard]] bool charge(std::size_t size);
  void refund(std::size_t size);
  // The room that is left below the capacity, not counting what is on its way back.
  [[nodiscard]] std::size_t room() const;
  [[nodiscard]] std::size_t in_use() const { return in_use_.load(std::memory_order_relaxed); }

 private:
  friend class Segment;
  void take_back(Segment& segment);
  void collect();
  static std::uint32_t size_of(const Segment& segment);
  static void destroy(Segment& segment);

  static constexpr std::size_t kClassCount = 3;
  std::size_t capacity_;
  std::size_t keep_;
  std::atomic<std::size_t> in_use_{0};
  // The writer's.
  std::size_t kept_ = 0;
  Segment* free_[kClassCount] = {};
  // A stack, pushed by all and emptied by the writer.
  alignas(64) std::atomic<Segment*> returned_{nullptr};
};

}  // namespace orzatty::base
