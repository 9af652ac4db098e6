#include "base/limits_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orzatty::base {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

TEST(LimitsTable, TheDefaultsAreSound) { EXPECT_EQ(problem_of(Limits{}), std::nullopt); }

// spec: CREDIT-1
TEST(LimitsTable, AWindowHoldsTheLargestMessageAndOneByteLessIsRefused) {
  EXPECT_EQ(problem_of({.message_size_max = 65'536, .stream_window = 65'536}), std::nullopt);

  EXPECT_THAT(problem_of({.message_size_max = 65'536, .stream_window = 65'535}),
              Optional(HasSubstr("message_size_max may not exceed stream_window")));
}

TEST(LimitsTable, ACountOfNothingIsRefusedByName) {
  EXPECT_THAT(problem_of({.publication_count_max = 0}),
              Optional(HasSubstr("publication_count_max")));
}

TEST(LimitsTable, AHeartbeatMustComeBeforeDeath) {
  using namespace std::chrono_literals;
  EXPECT_EQ(problem_of({.heartbeat_interval = 9s, .dead_after = 10s}), std::nullopt);
  EXPECT_NE(problem_of({.heartbeat_interval = 10s, .dead_after = 10s}), std::nullopt);
}

}  // namespace
}  // namespace orzatty::base
