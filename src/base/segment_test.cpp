#include "base/segment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

namespace orzatty::base {
namespace {

constexpr std::uint32_t kHeaderSize = sizeof(Segment);

TEST(Segment, ItsHeaderAndItsDataBeginOnCacheLinesOfTheirOwn) {
  SegmentPool pool(128 * 1024, 0);

  for (const std::uint32_t size : {512U, 4096U, SegmentPool::kSizeMax}) {
    const SegmentRef held(*pool.allocate(size));
    held.get()->release();

    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(held.get()) % 64, 0U);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(held.get()->data()) % 64, 0U);
    EXPECT_EQ(held.get()->capacity(), size - kHeaderSize);
  }
}

TEST(SegmentPool, TheLastSegmentWithinTheCapacityIsGivenAndTheNextIsNot) {
  SegmentPool pool(2 * 4096 + 511, 0);

  Segment* const first = pool.allocate(4096);
  Segment* const second = pool.allocate(4096);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(pool.room(), 511U);
  EXPECT_EQ(pool.allocate(512), nullptr);

  first->release();
  EXPECT_EQ(pool.room(), 4096U + 511U);
  Segment* const third = pool.allocate(4096);
  EXPECT_NE(third, nullptr);
  second->release();
  third->release();
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(SegmentPool, ASegmentIsOutUntilItsLastReferenceIsGone) {
  SegmentPool pool(4096, 4096);
  Segment* const segment = pool.allocate(4096);
  SegmentRef first(*segment);
  SegmentRef second(*segment);

  segment->release();
  first = SegmentRef();
  EXPECT_EQ(pool.in_use(), 4096U);
  const SegmentRef moved = std::move(second);
  EXPECT_EQ(pool.in_use(), 4096U);
  second = SegmentRef();
  EXPECT_EQ(moved.get(), segment);
  EXPECT_EQ(pool.allocate(512), nullptr);
}

TEST(SegmentPool, AReturnedSegmentIsUsedAgainAsNew) {
  SegmentPool pool(8192, 8192);
  Segment* const first = pool.allocate(4096);
  Segment* const other = pool.allocate(512);
  first->link(other);
  first->release();
  other->release();

  Segment* const again = pool.allocate(4096);

  EXPECT_EQ(again, first);
  EXPECT_EQ(again->next(), nullptr);
  again->release();
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(SegmentPool, WhatAnotherThreadReleasesIsThereForTheNextAllocation) {
  SegmentPool pool(std::size_t{8} * 512, std::size_t{8} * 512);
  std::vector<Segment*> segments;
  for (int i = 0; i < 8; ++i) segments.push_back(pool.allocate(512));
  EXPECT_EQ(pool.allocate(512), nullptr);

  std::thread([&] {
    for (Segment* const segment : segments) segment->release();
  }).join();

  for (int i = 0; i < 8; ++i) {
    Segment* const segment = pool.allocate(512);
    ASSERT_NE(segment, nullptr);
    EXPECT_TRUE(std::ranges::find(segments, segment) != segments.end());
    segment->release();
  }
}

TEST(SegmentPoolDeathTest, ASizeThatIsNoClassIsABug) {
  SegmentPool pool(4096, 0);
  EXPECT_DEATH((void)pool.allocate(1024), "bug: ");
}

TEST(SegmentPoolDeathTest, APoolThatEndsBeforeItsSegmentsIsABug) {
  EXPECT_DEATH(
      {
        SegmentPool pool(4096, 0);
        (void)pool.allocate(512);
      },
      "in_use");
}

}  // namespace
}  // namespace orzatty::base
