#include "hub/refusals.h"

#include <gtest/gtest.h>

namespace orzatty::hub {
namespace {

Refusals::Range range(std::uint64_t from, std::uint64_t to,
                      ErrorCode code = ErrorCode::kOverloaded) {
  return {Sequence(from), Sequence(to), code};
}

std::uint64_t found(const Refusals& refusals, std::uint64_t sequence) {
  const auto at = refusals.find(Sequence(sequence));
  return at ? at->from.value() : 999;
}

TEST(Refusals, FindTheRangeOfASequenceOrTheNextOne) {
  Refusals refusals;
  refusals.add(range(10, 12));
  refusals.add(range(20, 21));

  EXPECT_EQ(found(refusals, 0), 10U);
  EXPECT_EQ(found(refusals, 11), 10U);
  EXPECT_EQ(found(refusals, 12), 20U);
  EXPECT_EQ(found(refusals, 20), 20U);
  EXPECT_EQ(found(refusals, 21), 999U);
}

TEST(Refusals, ThatContinueEachOtherForTheSameReasonAreOne) {
  Refusals refusals;
  refusals.add(range(1, 2));
  refusals.add(range(2, 9));
  EXPECT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals.find(Sequence(5))->to, Sequence(9));

  refusals.add(range(9, 10, ErrorCode::kChannelLimit));
  EXPECT_EQ(refusals.size(), 2U);
}

TEST(Refusals, OfWhatItsProducerKnowsAreForgotten) {
  Refusals refusals;
  refusals.add(range(1, 3));
  refusals.add(range(5, 8));

  refusals.forget_below(Sequence(2));
  EXPECT_EQ(refusals.size(), 2U);
  refusals.forget_below(Sequence(3));
  EXPECT_EQ(refusals.size(), 1U);
}

TEST(Refusals, AreBoundedAndTheOldestAreForgotten) {
  Refusals refusals;
  for (std::uint64_t i = 0; i < Refusals::kCountMax; ++i) refusals.add(range(2 * i, 2 * i + 1));
  EXPECT_EQ(found(refusals, 0), 0U);

  refusals.add(range(5'000, 5'001));

  EXPECT_EQ(refusals.size(), Refusals::kCountMax);
  EXPECT_EQ(found(refusals, 0), 2U);
}

}  // namespace
}  // namespace orzatty::hub
