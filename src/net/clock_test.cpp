#include "net/clock.h"

#include <gtest/gtest.h>

namespace orzatty::net {
namespace {

TEST(Clock, NeverGoesBackwards) {
  Instant last = now();
  for (int i = 0; i < 10'000; ++i) {
    const Instant next = now();
    ASSERT_GE(next, last);
    last = next;
  }
}

TEST(Clock, UnixSecondsAreOfThisCentury) {
  EXPECT_GT(unix_seconds(), 1'700'000'000);
  EXPECT_LT(unix_seconds(), 4'102'444'800);
}

}  // namespace
}  // namespace orzatty::net
