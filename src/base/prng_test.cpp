#include "base/prng.h"

#include <gtest/gtest.h>

#include <array>

namespace orzatty::base {
namespace {

TEST(Prng, TheSameSeedGivesTheSameNumbersOnEveryMachine) {
  Prng prng(1234567);  // the reference values of splitmix64

  EXPECT_EQ(prng.next(), 6457827717110365317U);
  EXPECT_EQ(prng.next(), 3203168211198807973U);
  EXPECT_EQ(prng.next(), 9817491932198370423U);
}

TEST(Prng, ANumberBelowABoundReachesEveryValueAndNotTheBound) {
  Prng prng(1);
  std::array<int, 6> seen{};

  for (int i = 0; i < 6000; ++i) ++seen.at(prng.below(6));

  for (const int count : seen) EXPECT_NEAR(count, 1000, 200);
  EXPECT_EQ(prng.below(1), 0U);
}

TEST(Prng, AChanceComesAsOftenAsItSays) {
  Prng prng(2);
  int count = 0;

  for (int i = 0; i < 10'000; ++i) count += prng.chance(0.25) ? 1 : 0;

  EXPECT_NEAR(count, 2500, 200);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(prng.chance(0));
    EXPECT_TRUE(prng.chance(1));
  }
}

TEST(Prng, FillWritesEveryByteAndNoOther) {
  Prng prng(3);
  std::array<std::byte, 34> bytes{};
  std::array<int, 34> changed{};

  for (int i = 0; i < 20; ++i) {
    prng.fill(std::span(bytes).subspan(1, 32));
    for (std::size_t at = 0; at < bytes.size(); ++at)
      changed[at] += bytes[at] != std::byte{} ? 1 : 0;
  }

  EXPECT_EQ(changed.front(), 0);
  EXPECT_EQ(changed.back(), 0);
  for (std::size_t at = 1; at < 33; ++at) EXPECT_GT(changed[at], 10);
}

}  // namespace
}  // namespace orzatty::base
