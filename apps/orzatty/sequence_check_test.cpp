#include "sequence_check.h"

#include <gtest/gtest.h>

namespace orzatty::apps {
namespace {

SequenceCheck check_of(std::initializer_list<std::uint64_t> numbers) {
  SequenceCheck check;
  Bytes message(64);
  for (const std::uint64_t number : numbers) {
    write_number(message, number);
    check.take(message);
  }
  return check;
}

TEST(SequenceCheck, FindsNothingWhenEachMessageComesOnceInOrder) {
  const SequenceCheck check = check_of({0, 1, 2, 3});

  EXPECT_EQ(check.next(), 4U);
  EXPECT_EQ(check.lost(4), 0U);
  EXPECT_EQ(check.repeated(), 0U);
}

TEST(SequenceCheck, CountsWhatWasSkippedAndWhatNeverCameAsLost) {
  EXPECT_EQ(check_of({0, 3}).lost(6), 4U);
}

TEST(SequenceCheck, CountsWhatComesAgainOrLateAsRepeated) {
  const SequenceCheck check = check_of({0, 2, 1, 2});

  EXPECT_EQ(check.lost(3), 1U);
  EXPECT_EQ(check.repeated(), 2U);
}

TEST(SequenceCheck, DoesNotTakeAMessageWithoutANumber) {
  SequenceCheck check;

  check.take(Bytes(kNumberedSizeMin - 1));

  EXPECT_EQ(check.next(), 0U);
  EXPECT_EQ(check.repeated(), 1U);
}

}  // namespace
}  // namespace orzatty::apps
