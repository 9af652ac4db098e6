#include "histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orzatty::apps {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Histogram one_to(int count) {
  Histogram histogram;
  for (int i = 1; i <= count; ++i) histogram.record(std::chrono::microseconds(i));
  return histogram;
}

TEST(Histogram, KeepsEveryTimeWithinAThousandthOfIt) {
  for (const Duration time : {1ns, 2047ns, 2048ns, 4097ns, Duration(10ms), Duration(59min)}) {
    Histogram histogram;
    histogram.record(time);
    histogram.record(2 * time);  // or the greatest time of all would say it exactly

    const Duration found = histogram.at(50);

    EXPECT_GE(found, time);
    EXPECT_LE(found - time, time / 1000) << time.count();
  }
}

TEST(Histogram, HasTheLeastTimeThatAPercentageDoesNotExceed) {
  const Histogram histogram = one_to(1000);

  EXPECT_NEAR(static_cast<double>(histogram.at(50).count()), 500e3, 500);
  EXPECT_NEAR(static_cast<double>(histogram.at(99.9).count()), 999e3, 999);
  EXPECT_EQ(histogram.at(100), 1000us);
  EXPECT_EQ(histogram.max(), 1000us);
}

TEST(Histogram, CountsWhatIsTooLongAsTheLongestAndWhatIsNegativeAsNothing) {
  Histogram histogram;
  histogram.record(-1ns);
  histogram.record(2h);

  EXPECT_EQ(histogram.at(50), Duration::zero());
  EXPECT_EQ(histogram.max(), Histogram::kTimeMax);
}

TEST(Histogram, OfSeveralRunsIsTheirSum) {
  Histogram both = one_to(10);
  both.add(one_to(20));

  EXPECT_EQ(both.count(), 30U);
  EXPECT_EQ(both.max(), 20us);
}

// The lines that HdrHistogram's outputPercentileDistribution(out, 5, 1000.0) has for these values.
TEST(Histogram, WritesItsDistributionAsHdrHistogramDoes) {
  Histogram histogram;
  for (const Duration time : {1us, 1us, 1us, 2us}) histogram.record(time);

  EXPECT_EQ(histogram.distribution(),
            "       Value     Percentile TotalCount 1/(1-Percentile)\n"
            "\n"
            "       1.000 0.000000000000          3           1.00\n"
            "       1.000 0.100000000000          3           1.11\n"
            "       1.000 0.200000000000          3           1.25\n"
            "       1.000 0.300000000000          3           1.43\n"
            "       1.000 0.400000000000          3           1.67\n"
            "       1.000 0.500000000000          3           2.00\n"
            "       1.000 0.550000000000          3           2.22\n"
            "       1.000 0.600000000000          3           2.50\n"
            "       1.000 0.650000000000          3           2.86\n"
            "       1.000 0.700000000000          3           3.33\n"
            "       1.000 0.750000000000          3           4.00\n"
            "       2.000 0.775000000000          4           4.44\n"
            "       2.000 1.000000000000          4\n"
            "#[Mean    =        1.250, StdDeviation   =        0.433]\n"
            "#[Max     =        2.000, Total count    =            4]\n"
            "#[Buckets =           32, SubBuckets     =         2048]\n");
}

TEST(Histogram, OfNothingHasADistributionWithoutLines) {
  EXPECT_THAT(Histogram().distribution(), HasSubstr("Total count    =            0]"));
}

}  // namespace
}  // namespace orzatty::apps
