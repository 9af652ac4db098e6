// What a steady flow costs in memory, counted: the operator new of this test binary keeps the
// books.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "base/log.h"
#include "base/run_index.h"
#include "base/timer_queue.h"

namespace {

std::atomic<std::size_t> allocation_count{0};
std::atomic<std::size_t> release_count{0};

void* allocate(std::size_t size, std::size_t alignment) {
  ++allocation_count;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  if (void* memory = std::aligned_alloc(alignment, rounded)) return memory;
  std::abort();
}

void release(void* memory) {
  ++release_count;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

namespace orzatty::base {
namespace {

TEST(Allocation, AHundredThousandMessagesThroughALogTakeNoMemoryOnceItIsWarm) {
  SegmentPool pool(std::size_t{4} * SegmentPool::kSizeMax, std::size_t{4} * SegmentPool::kSizeMax);
  Log log(pool, SegmentPool::kSizeMin);
  const Bytes body(100);
  LogCursor cursor = log.begin();
  const auto pass_on = [&](int count) {
    for (int i = 0; i < count; ++i) {
      if (!log.append(body, 1)) return false;
      (void)Log::take(cursor, body.size());
      cursor = log.end();
      log.trim(cursor);
    }
    return true;
  };
  ASSERT_TRUE(pass_on(5000));

  const std::size_t before = allocation_count;
  ASSERT_TRUE(pass_on(100'000));
  EXPECT_EQ(allocation_count, before);
}

TEST(Allocation, APoolKeepsWhatItWasToldToAndFreesTheRest) {
  SegmentPool pool(std::size_t{8} * 4096, std::size_t{2} * 4096);
  Segment* segments[4];
  for (Segment*& segment : segments) segment = pool.allocate(4096);
  for (Segment* const segment : segments) segment->release();

  const std::size_t allocated = allocation_count;
  const std::size_t released = release_count;
  for (Segment*& segment : segments) segment = pool.allocate(4096);
  EXPECT_EQ(release_count - released, 2U);
  EXPECT_EQ(allocation_count - allocated, 2U);
  for (Segment* const segment : segments) segment->release();
}

TEST(Allocation, ATimerThatMovesWithEachPacketTakesNoMemory) {
  TimerQueue timers;
  for (TimerQueue::Slot slot = 0; slot < 1000; ++slot) timers.set(slot, Instant{Duration(slot)});

  const std::size_t before = allocation_count;
  for (int now = 0; now < 10'000; ++now) {
    for (TimerQueue::Slot slot = 0; slot < 1000; slot += 100) {
      timers.set(slot, Instant{Duration(now + 500)});
    }
    while (const auto slot = timers.pop_due(Instant{Duration(now)})) {
      timers.set(*slot, Instant{Duration(now + 1000)});
    }
  }
  EXPECT_EQ(allocation_count, before);
}

TEST(Allocation, AnIndexThatForgetsAsFastAsItLearnsTakesNoMemory) {
  SegmentPool pool(1024 * 1024, 0);
  RunIndex index(pool);
  const auto turn = [&](std::uint64_t number) {
    ASSERT_TRUE(index.make_room());
    index.append({.producer = ProducerNumber(1),
                  .first_sequence = Sequence(2 * number),
                  .first_offset = index.next_offset(),
                  .count = 1,
                  .bytes = 1,
                  .begin = {},
                  .appended = {}});
    if (index.size() > 100) index.pop_front();
  };
  for (std::uint64_t number = 0; number < 200; ++number) turn(number);

  const std::size_t before = allocation_count;
  for (std::uint64_t number = 200; number < 10'000; ++number) turn(number);
  EXPECT_EQ(allocation_count, before);
}

}  // namespace
}  // namespace orzatty::base
