#include "client/backoff.h"

#include <gtest/gtest.h>

#include <vector>

namespace orzatty::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Backoff, DoublesWithinItsJitterUpToItsMaximum) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Backoff backoff(seconds(2), seed);
    Duration bound = Backoff::kFirst;
    for (int i = 0; i < 12; ++i) {
      const Duration delay = backoff.next(Duration::zero());
      EXPECT_GE(delay, bound / 2);
      EXPECT_LE(delay, bound);
      bound = std::min<Duration>(2 * bound, seconds(2));
    }
    EXPECT_EQ(bound, seconds(2));
  }
}

TEST(Backoff, SpreadsClientsThatLostTheSameServer) {
  Duration least = seconds(1);
  Duration most = Duration::zero();
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Duration delay = Backoff(seconds(2), seed).next(Duration::zero());
    least = std::min(least, delay);
    most = std::max(most, delay);
  }

  EXPECT_LT(least, Backoff::kFirst * 55 / 100);
  EXPECT_GT(most, Backoff::kFirst * 95 / 100);
}

TEST(Backoff, IsTheSameForTheSameSeed) {
  Backoff first(seconds(2), 7);
  Backoff second(seconds(2), 7);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(first.next({}), second.next({}));
}

TEST(Backoff, BeginsAnewOnlyBehindAConnectionThatLived) {
  Backoff backoff(seconds(2), 1);
  for (int i = 0; i < 6; ++i) static_cast<void>(backoff.next(seconds(2) - milliseconds(1)));
  EXPECT_GE(backoff.next(milliseconds(10)), seconds(1));

  EXPECT_LE(backoff.next(seconds(2)), Backoff::kFirst);
  EXPECT_GE(backoff.next(Duration::zero()), Backoff::kFirst);
}

TEST(Backoff, KeepsToAMaximumBelowItsFirstDelay) {
  Backoff backoff(milliseconds(10), 1);
  for (int i = 0; i < 5; ++i) EXPECT_LE(backoff.next({}), milliseconds(10));
}

}  // namespace
}  // namespace orzatty::client
