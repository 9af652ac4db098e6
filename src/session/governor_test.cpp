#include "session/governor.h"

#include <gtest/gtest.h>

namespace orzatty::session {
namespace {

constexpr std::uint64_t kRoomMax = 2 * 1024 * 1024;

// A path that acknowledges `bytes_per_second`, looked at every millisecond.
class GovernorTest : public testing::Test {
 protected:
  void carry(std::uint64_t bytes_per_second, Duration time, Duration rtt, bool waiting = true) {
    for (const Instant end = now_ + time; now_ < end;) {
      now_ += std::chrono::milliseconds(1);
      governor_.acknowledged(bytes_per_second / 1000, waiting, rtt, now_);
    }
  }

  Governor governor_{{std::chrono::milliseconds(5), kRoomMax}};
  Instant now_{};
};

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(GovernorTest, GivesTheWholeRoomWhileNoRateIsKnown) {
  EXPECT_EQ(governor_.room(), kRoomMax);
  carry(1000, seconds(1), milliseconds(1), false);
  EXPECT_EQ(governor_.room(), kRoomMax);
}

TEST_F(GovernorTest, GivesAFastPathTheWholeRoom) {
  carry(800'000'000, milliseconds(100), milliseconds(1));

  EXPECT_NEAR(governor_.bytes_per_second(), 800e6, 8e6);
  EXPECT_EQ(governor_.room(), kRoomMax);
}

TEST_F(GovernorTest, LetsWaitWhatThePathCarriesWithinTheTarget) {
  carry(50'000'000, milliseconds(100), milliseconds(40));

  EXPECT_NEAR(static_cast<double>(governor_.room()), 50e6 * 0.005, 5000);
}

TEST_F(GovernorTest, GivesASlowPathTheLeastRoom) {
  carry(125'000, seconds(1), milliseconds(40));  // 1 Mbit/s

  EXPECT_NEAR(governor_.bytes_per_second(), 125e3, 2e3);
  EXPECT_EQ(governor_.room(), Governor::kRoomMin);
}

TEST_F(GovernorTest, BelievesAFasterPathAtOnceAndASlowerOneInSteps) {
  carry(20'000'000, milliseconds(100), milliseconds(1));
  carry(100'000'000, milliseconds(42), milliseconds(1));
  EXPECT_NEAR(governor_.bytes_per_second(), 100e6, 5e6);

  carry(20'000'000, milliseconds(20), milliseconds(1));
  EXPECT_GT(governor_.bytes_per_second(), 70e6);
  carry(20'000'000, milliseconds(200), milliseconds(1));
  EXPECT_NEAR(governor_.bytes_per_second(), 20e6, 1e6);
}

TEST_F(GovernorTest, LearnsNothingFromAnApplicationThatHasLittleToSay) {
  carry(100'000'000, milliseconds(100), milliseconds(1));
  const std::uint64_t room = governor_.room();
  carry(1000, seconds(10), milliseconds(1), false);

  EXPECT_EQ(governor_.room(), room);
}

TEST_F(GovernorTest, MeasuresOverARoundTripAtLeast) {
  carry(10'000'000, milliseconds(150), milliseconds(200));
  EXPECT_EQ(governor_.bytes_per_second(), 0);
  carry(10'000'000, milliseconds(100), milliseconds(200));
  EXPECT_NEAR(governor_.bytes_per_second(), 10e6, 1e5);
}

}  // namespace
}  // namespace orzatty::session
