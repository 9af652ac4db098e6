#include "session/keepalive.h"

#include <gtest/gtest.h>

namespace orzatty::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Verdict = Keepalive::Verdict;

class KeepaliveTest : public testing::Test {
 protected:
  const Instant start_{};
  Keepalive keepalive_{seconds(5), seconds(12), start_};
};

// spec: SESSION-8
TEST_F(KeepaliveTest, AsksAPeerThatWasSilentForAnInterval) {
  EXPECT_EQ(keepalive_.next_timeout(), start_ + seconds(5));
  EXPECT_EQ(keepalive_.check(start_ + seconds(5) - milliseconds(1)), Verdict::kQuiet);
  EXPECT_EQ(keepalive_.check(start_ + seconds(5)), Verdict::kPing);
}

TEST_F(KeepaliveTest, AsksOncePerInterval) {
  EXPECT_EQ(keepalive_.check(start_ + seconds(5)), Verdict::kPing);
  EXPECT_EQ(keepalive_.check(start_ + seconds(9)), Verdict::kQuiet);
  EXPECT_EQ(keepalive_.check(start_ + seconds(10)), Verdict::kPing);
}

TEST_F(KeepaliveTest, DoesNotAskAPeerThatTalks) {
  for (int second = 1; second < 100; ++second) {
    keepalive_.heard(start_ + seconds(second));
    EXPECT_EQ(keepalive_.check(start_ + seconds(second)), Verdict::kQuiet);
  }
}

// spec: SESSION-9
TEST_F(KeepaliveTest, GivesUpAPeerThatWasSilentForTooLong) {
  EXPECT_EQ(keepalive_.check(start_ + seconds(5)), Verdict::kPing);
  EXPECT_EQ(keepalive_.check(start_ + seconds(11)), Verdict::kPing);
  EXPECT_EQ(keepalive_.next_timeout(), start_ + seconds(12));
  EXPECT_EQ(keepalive_.check(start_ + seconds(12) - milliseconds(1)), Verdict::kQuiet);
  EXPECT_EQ(keepalive_.check(start_ + seconds(12)), Verdict::kDead);
}

}  // namespace
}  // namespace orzatty::session
