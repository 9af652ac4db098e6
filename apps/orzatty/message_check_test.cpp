#include "message_check.h"

#include <gtest/gtest.h>

namespace orzatty::apps {
namespace {

class MessageCheckTest : public testing::Test {
 protected:
  Bytes message(std::uint64_t number) const {
    Bytes made = expected_;
    write_number(made, number);
    return made;
  }

  const Bytes expected_ = numbered_message(64);
};

TEST_F(MessageCheckTest, FindsNothingWhenEachSourceComesInItsOwnOrder) {
  MessageCheck check(expected_, 3);

  for (const std::uint64_t number : {number_of(2, 0), number_of(0, 0), number_of(2, 1)}) {
    check.take(message(number));
  }

  EXPECT_EQ(check.next(), 3U);
  EXPECT_EQ(check.lost(3), 0U);
  EXPECT_EQ(check.repeated(), 0U);
}

TEST_F(MessageCheckTest, CountsWhatOneSourceLacksThoughAnotherHasMore) {
  MessageCheck check(expected_, 2);

  check.take(message(number_of(0, 1)));
  check.take(message(number_of(1, 0)));

  EXPECT_EQ(check.lost(3), 1U);
}

TEST_F(MessageCheckTest, CountsAMessageAsLostOfWhichOneByteIsAnother) {
  for (const std::size_t place : {kNumberedSizeMin, std::size_t{63}}) {
    MessageCheck check(expected_);
    Bytes damaged = message(0);
    damaged[place] ^= std::byte{1};

    check.take(damaged);

    EXPECT_EQ(check.lost(1), 1U) << place;
  }
}

TEST_F(MessageCheckTest, CountsAMessageAsLostThatWasCutOrHasOneByteMore) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{63}, std::size_t{65}}) {
    MessageCheck check(expected_);
    Bytes resized = message(0);
    resized.resize(size);

    check.take(resized);

    EXPECT_EQ(check.lost(1), 1U) << size;
  }
}

TEST_F(MessageCheckTest, DoesNotTakeAMessageOfASourceThatIsNone) {
  MessageCheck check(expected_, 2);

  check.take(message(number_of(2, 0)));

  EXPECT_EQ(check.next(), 0U);
}

}  // namespace
}  // namespace orzatty::apps
