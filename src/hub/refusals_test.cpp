#include "hub/refusals.h"

#include <gtest/gtest.h>

namespace orzatty::hub {
namespace {

Refusals::Range range(std::uint64_t from, std::uint64_t to,
                      ErrorCode code = ErrorCode::kOverloaded) {
  return {Sequence(from), Sequence(to), code};
}

constexpr std::uint64_t kHubSize = 64 * 1024 * 1024;

std::uint64_t found(const Refusals& refusals, std::uint64_t sequence) {
  const auto at = refusals.find(Sequence(sequence));
  return at ? at->from.value() : 999;
}

TEST(Refusals, FindTheRangeOfASequenceOrTheNextOne) {
  Refusals::Budget budget(kHubSize);
  Refusals refusals;
  refusals.add(range(10, 12), budget);
  refusals.add(range(20, 21), budget);

  EXPECT_EQ(found(refusals, 0), 10U);
  EXPECT_EQ(found(refusals, 11), 10U);
  EXPECT_EQ(found(refusals, 12), 20U);
  EXPECT_EQ(found(refusals, 20), 20U);
  EXPECT_EQ(found(refusals, 21), 999U);
}

TEST(Refusals, ThatContinueEachOtherForTheSameReasonAreOne) {
  Refusals::Budget budget(kHubSize);
  Refusals refusals;
  refusals.add(range(1, 2), budget);
  refusals.add(range(2, 9), budget);
  EXPECT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals.find(Sequence(5))->to, Sequence(9));

  refusals.add(range(9, 10, ErrorCode::kChannelLimit), budget);
  EXPECT_EQ(refusals.size(), 2U);
}

TEST(Refusals, OfWhatItsProducerKnowsAreForgotten) {
  Refusals::Budget budget(kHubSize);
  Refusals refusals;
  refusals.add(range(1, 3), budget);
  refusals.add(range(5, 8), budget);

  refusals.forget_below(Sequence(2));
  EXPECT_EQ(refusals.size(), 2U);
  refusals.forget_below(Sequence(3));
  EXPECT_EQ(refusals.size(), 1U);
}

TEST(Refusals, AreBoundedAndTheOldestAreForgotten) {
  Refusals::Budget budget(kHubSize);
  Refusals refusals;
  for (std::uint64_t i = 0; i < Refusals::kCountMax; ++i) refusals.add(range(2 * i, 2 * i + 1), budget);
  EXPECT_EQ(found(refusals, 0), 0U);

  refusals.add(range(5'000, 5'001), budget);

  EXPECT_EQ(refusals.size(), Refusals::kCountMax);
  EXPECT_EQ(found(refusals, 0), 2U);
  EXPECT_EQ(refusals.forgotten_below(), Sequence(1));
}

TEST(Refusals, OfAllProducersTogetherAreBoundedAndEachKeepsItsNewest) {
  Refusals::Budget budget(Refusals::Budget::kHubShare * sizeof(Refusals::Range) * 100);
  Refusals greedy;
  for (std::uint64_t i = 0; i < 1000; ++i) greedy.add(range(2 * i, 2 * i + 1), budget);
  const std::size_t most = greedy.size();
  EXPECT_GE(most, 50U);
  EXPECT_LT(most, 200U);
  {
    Refusals modest;
    for (std::uint64_t i = 0; i < 100; ++i) modest.add(range(2 * i, 2 * i + 1), budget);
    EXPECT_EQ(modest.size(), Refusals::kCountMin);
    EXPECT_EQ(found(modest, 0), 2 * (100 - Refusals::kCountMin));
    EXPECT_EQ(greedy.size(), most);
  }

  greedy.forget_below(Sequence(1999));
  EXPECT_EQ(budget.count, 0U) << "nothing is held for what is gone";
  Refusals next;
  for (std::uint64_t i = 0; i < 50; ++i) next.add(range(2 * i, 2 * i + 1), budget);
  EXPECT_EQ(next.size(), 50U);
}

}  // namespace
}  // namespace orzatty::hub
