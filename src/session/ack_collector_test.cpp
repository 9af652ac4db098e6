#include "session/ack_collector.h"

#include <gtest/gtest.h>

namespace orzatty::session {
namespace {

using std::chrono::milliseconds;

wire::AckRun run(std::uint64_t publication, std::uint64_t first, std::uint64_t count,
                 std::uint64_t offset, bool duplicate = false) {
  return {PublicationId(publication), Sequence(first), count, Offset(offset), duplicate};
}

class AckCollectorTest : public testing::Test {
 protected:
  Limits limits_;
  AckCollector acks_{limits_};
  const Instant start_{};
};

TEST_F(AckCollectorTest, MakesOneRunOfRunsThatContinueEachOther) {
  acks_.accepted(run(1, 0, 10, 100), 640, 5, start_);
  acks_.accepted(run(2, 0, 1, 7), 64, 6, start_);
  acks_.accepted(run(1, 10, 5, 110), 320, 7, start_);

  EXPECT_EQ(acks_.ack().nonce, 7U);
  EXPECT_EQ(acks_.ack().runs, (std::vector{run(1, 0, 15, 100), run(2, 0, 1, 7)}));
}

TEST_F(AckCollectorTest, KeepsRunsApartThatDoNot) {
  acks_.accepted(run(1, 0, 10, 100), 1, 0, start_);
  acks_.accepted(run(1, 10, 1, 111), 1, 0, start_);        // another offset
  acks_.accepted(run(1, 11, 1, 112, true), 1, 0, start_);  // a duplicate
  acks_.accepted(run(1, 13, 1, 113, true), 1, 0, start_);  // another sequence
  acks_.accepted(run(1, 14, 0, 0), 0, 0, start_);          // an expectation
  acks_.accepted(run(1, 14, 1, 114), 1, 0, start_);

  EXPECT_EQ(acks_.ack().runs.size(), 6U);
}

TEST_F(AckCollectorTest, IsDueAfterTheDelayOfTheFirstMessage) {
  EXPECT_FALSE(acks_.due(start_));
  EXPECT_EQ(acks_.next_timeout(), std::nullopt);
  acks_.accepted(run(1, 0, 1, 0), 64, 0, start_);
  acks_.accepted(run(1, 1, 1, 1), 64, 0, start_ + milliseconds(3));

  EXPECT_EQ(acks_.next_timeout(), start_ + limits_.ack_delay);
  EXPECT_FALSE(acks_.due(start_ + limits_.ack_delay - milliseconds(1)));
  EXPECT_TRUE(acks_.due(start_ + limits_.ack_delay));
}

TEST_F(AckCollectorTest, IsDueAtOnceWhenEnoughCameTogether) {
  acks_.accepted(run(1, 0, limits_.ack_every - 1, 0), 64, 0, start_);
  EXPECT_FALSE(acks_.due(start_));
  acks_.accepted(run(1, limits_.ack_every - 1, 1, limits_.ack_every - 1), 64, 0, start_);
  EXPECT_TRUE(acks_.due(start_));

  acks_.clear();
  acks_.accepted(run(1, 9999, 1, 9999), limits_.ack_every_bytes - 1, 0, start_);
  EXPECT_FALSE(acks_.due(start_));
  acks_.accepted(run(1, 10'000, 1, 10'000), 1, 0, start_);
  EXPECT_TRUE(acks_.due(start_));
}

TEST_F(AckCollectorTest, IsDueAtOnceWhenItIsFull) {
  for (std::uint64_t i = 0; i < AckCollector::kRunCountMax; ++i) {
    EXPECT_FALSE(acks_.full());
    acks_.accepted(run(i, 0, 1, 0), 1, 0, start_);
  }

  EXPECT_TRUE(acks_.full());
  EXPECT_TRUE(acks_.due(start_));
}

TEST_F(AckCollectorTest, IsEmptyOnceItWasSent) {
  acks_.accepted(run(1, 0, 1, 0), 64, 0, start_);
  acks_.clear();

  EXPECT_TRUE(acks_.empty());
  EXPECT_FALSE(acks_.due(start_ + milliseconds(1000)));
}

}  // namespace
}  // namespace orzatty::session
