// The same seed is the same run, and chance comes from nowhere else.

#include <gtest/gtest.h>

#include "sim/entropy.h"
#include "sim/run.h"

namespace orzatty::sim {
namespace {

Outcome outcome_of(std::uint64_t seed) {
  Reduction shorter;
  shorter.seconds_max = 3;
  return run(draw_plan(seed, *find_scenario("standard"), shorter));
}

TEST(Determinism, OfASeedHoldsToTheLastByteAndOtherSeedsDiffer) {
  const Outcome first = outcome_of(7);
  const Outcome again = outcome_of(7);
  const Outcome other = outcome_of(8);

  EXPECT_EQ(first.hash, again.hash);
  EXPECT_EQ(first.counts, again.counts);
  EXPECT_NE(first.hash, other.hash);
}

TEST(Determinism, HasTheChanceOfTlsInItsHands) {
  static_cast<void>(outcome_of(9));
  EXPECT_GT(entropy_draws(), 10U) << "GnuTLS draws elsewhere";
}

TEST(Determinism, OfAStandardSeedIsOfNoToy) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const Plan plan = draw_plan(seed, *find_scenario("standard"));
    std::uint64_t messages = 0;
    for (const PlannedClient& client : plan.clients) {
      for (const Feed& feed : client.feeds) messages += feed.count;
    }
    EXPECT_GE(plan.clients.size(), 3U);
    EXPECT_GE(plan.faults.size(), 3U);
    EXPECT_GE(messages, 2000U);
    EXPECT_GE(plan.length, std::chrono::seconds(30));
  }
}

}  // namespace
}  // namespace orzatty::sim
