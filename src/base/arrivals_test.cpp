#include "base/arrivals.h"

#include <gtest/gtest.h>

#include <set>

#include "base/prng.h"
#include "orzatty/ids.h"

namespace orzatty::base {
namespace {

TEST(Arrivals, PassOverWhatCameAboveAHoleOnceTheHoleIsFilled) {
  Arrivals<Sequence> arrivals;

  arrivals.add(Sequence(0), Sequence(2));
  arrivals.add(Sequence(3), Sequence(5));
  EXPECT_EQ(arrivals.next(), Sequence(2));

  arrivals.add(Sequence(2), Sequence(3));
  EXPECT_EQ(arrivals.next(), Sequence(5));
  EXPECT_TRUE(arrivals.above().empty());
}

TEST(Arrivals, TellHowManyPositionsStandAlike) {
  Arrivals<Sequence> arrivals(Sequence(10));
  arrivals.add(Sequence(12), Sequence(15));

  const auto expect = [&](std::uint64_t first, bool known, std::uint64_t count) {
    const auto stretch = arrivals.look(Sequence(first), 100);
    EXPECT_EQ(stretch.known, known) << first;
    EXPECT_EQ(stretch.count, count) << first;
  };
  expect(7, true, 3);
  expect(10, false, 2);
  expect(13, true, 2);
  expect(15, false, 100);
}

TEST(Arrivals, ThatTouchBecomeOneRange) {
  Arrivals<Sequence> arrivals;

  arrivals.add(Sequence(2), Sequence(4));
  arrivals.add(Sequence(6), Sequence(8));
  ASSERT_EQ(arrivals.above().size(), 2U);

  arrivals.add(Sequence(4), Sequence(6));
  ASSERT_EQ(arrivals.above().size(), 1U);
  EXPECT_EQ(arrivals.above().front(), (Arrivals<Sequence>::Range{Sequence(2), Sequence(8)}));
}

// Against the plainest model there is, with ranges that overlap too.
TEST(Arrivals, SayTheSameAsASetOfAllPositions) {
  Prng random(7);
  for (int round = 0; round < 50; ++round) {
    Arrivals<Sequence> arrivals;
    std::set<std::uint64_t> model;
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t from = random.next() % 100;
      const std::uint64_t to = from + 1 + random.next() % 6;
      arrivals.add(Sequence(from), Sequence(to));
      for (std::uint64_t at = from; at < to; ++at) model.insert(at);
      for (std::uint64_t at = 0; at < 110; ++at) {
        ASSERT_EQ(arrivals.look(Sequence(at), 1).known, model.contains(at)) << at;
      }
    }
  }
}

}  // namespace
}  // namespace orzatty::base
