#include "statistics.h"

#include <gtest/gtest.h>

namespace orzatty::apps {
namespace {

TEST(Spread, OfAnOddNumberOfRunsHasTheMiddleOneAsItsMedian) {
  const Spread spread = spread_of({3, 1, 2});

  EXPECT_EQ(spread.median, 2);
  EXPECT_EQ(spread.least, 1);
  EXPECT_EQ(spread.most, 3);
}

TEST(Spread, OfAnEvenNumberOfRunsHasTheMeanOfTheMiddleTwoAsItsMedian) {
  EXPECT_EQ(spread_of({4, 1, 3, 2}).median, 2.5);
}

TEST(Percentiles, AreTheLeastTimesThatSoManyDoNotExceed) {
  std::vector<Duration> times;
  for (int i = 1000; i > 0; --i) times.push_back(std::chrono::microseconds(i));

  const Percentiles percentiles = percentiles_of(times);

  EXPECT_EQ(percentiles.p50, 500);
  EXPECT_EQ(percentiles.p99, 990);
  EXPECT_EQ(percentiles.p999, 999);
}

TEST(Percentiles, OfOneTimeAreThatTime) {
  const Percentiles percentiles = percentiles_of({std::chrono::microseconds(7)});

  EXPECT_EQ(percentiles.p50, 7);
  EXPECT_EQ(percentiles.p999, 7);
}

}  // namespace
}  // namespace orzatty::apps
