#include "session/consumed_collector.h"

#include <gtest/gtest.h>

namespace orzatty::session {
namespace {

wire::ConsumedPosition position(std::uint64_t subscription, std::uint64_t alias,
                                std::uint64_t next) {
  return {SubscriptionId(subscription), ChannelAlias(alias), Offset(next)};
}

class ConsumedCollectorTest : public testing::Test {
 protected:
  Limits limits_;
  ConsumedCollector consumed_{limits_};
  const Instant start_{};
};

TEST_F(ConsumedCollectorTest, KeepsTheNewestPositionOfEachChannel) {
  consumed_.consumed(position(1, 0, 10), 64, 5, start_);
  consumed_.consumed(position(1, 1, 3), 64, 6, start_);
  consumed_.consumed(position(2, 0, 8), 64, 6, start_);
  consumed_.consumed(position(1, 0, 11), 64, 7, start_);

  EXPECT_EQ(consumed_.frame().nonce, 7U);
  EXPECT_EQ(consumed_.frame().positions,
            (std::vector{position(1, 0, 11), position(1, 1, 3), position(2, 0, 8)}));
}

TEST_F(ConsumedCollectorTest, IsDueAfterItsDelayOrWhenEnoughCameTogether) {
  EXPECT_FALSE(consumed_.due(start_));
  consumed_.consumed(position(1, 0, 1), 64, 0, start_);
  EXPECT_EQ(consumed_.next_timeout(), start_ + ConsumedCollector::kDelay);
  EXPECT_FALSE(consumed_.due(start_));
  EXPECT_TRUE(consumed_.due(start_ + ConsumedCollector::kDelay));

  consumed_.consumed(position(1, 0, 2), limits_.ack_every_bytes - 64, 0, start_);
  EXPECT_TRUE(consumed_.due(start_));
  consumed_.clear();
  EXPECT_FALSE(consumed_.due(start_ + std::chrono::hours(1)));
}

TEST_F(ConsumedCollectorTest, IsDueAtOnceWhenItIsFull) {
  for (std::uint64_t i = 0; i < ConsumedCollector::kPositionCountMax; ++i) {
    EXPECT_FALSE(consumed_.full());
    consumed_.consumed(position(1, i, 1), 1, 0, start_);
  }

  EXPECT_TRUE(consumed_.full());
  EXPECT_TRUE(consumed_.due(start_));
}

}  // namespace
}  // namespace orzatty::session
