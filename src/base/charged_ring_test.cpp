#include "base/charged_ring.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace orzatty::base {
namespace {

TEST(ChargedRing, TakesTheCapacityOfItsPoolForTheMemoryThatItHasAndGivesItBack) {
  SegmentPool pool(1024, 0);
  {
    ChargedRing<std::uint64_t> ring(pool);
    for (std::uint64_t i = 0; ring.make_room(); ++i) ring.push_back(i);

    EXPECT_EQ(ring.size(), 1024 / sizeof(std::uint64_t));
    EXPECT_EQ(pool.room(), 0U);
    EXPECT_EQ(ring.back(), ring.size() - 1) << "and it is as it was";
    ring.pop_front();
    EXPECT_TRUE(ring.make_room());
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(ChargedRing, CountsWhatGrowsBesideItsItemsToo) {
  SegmentPool pool(1024, 0);
  ChargedRing<std::uint64_t> ring(pool, 2 * sizeof(std::uint64_t));
  for (std::uint64_t i = 0; ring.make_room(); ++i) ring.push_back(i);

  EXPECT_EQ(ring.size(), 1024 / 2 / sizeof(std::uint64_t));
}

TEST(ChargedRing, GivesMemoryBackWhenLittleIsLeftInIt) {
  SegmentPool pool(1024 * 1024, 0);
  ChargedRing<std::uint64_t> ring(pool);
  for (std::uint64_t i = 0; i < 1024; ++i) {
    ASSERT_TRUE(ring.make_room());
    ring.push_back(i);
  }
  while (ring.size() > 129) ring.pop_front();
  ring.shrink();
  EXPECT_EQ(pool.in_use(), 1024 * sizeof(std::uint64_t)) << "more than an eighth is used";

  ring.pop_front();
  ring.shrink();

  EXPECT_EQ(pool.in_use(), 512 * sizeof(std::uint64_t));
  for (std::uint64_t i = 0; i < 128; ++i) EXPECT_EQ(ring[i], 1024 - 128 + i);
}

}  // namespace
}  // namespace orzatty::base
