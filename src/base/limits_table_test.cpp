#include "base/limits_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orzatty::base {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;
using namespace std::chrono_literals;

TEST(LimitsTable, TheDefaultsAreSound) { EXPECT_EQ(problem_of(Limits{}), std::nullopt); }

// spec: CREDIT-1
TEST(LimitsTable, AWindowHoldsTheLargestMessageAndOneByteLessIsRefused) {
  EXPECT_EQ(problem_of({.message_size_max = 65'536, .stream_window = 65'536}), std::nullopt);

  EXPECT_THAT(problem_of({.message_size_max = 65'536, .stream_window = 65'535}),
              Optional(HasSubstr("message_size_max may not exceed stream_window")));
}

// The largest that passes and the smallest that does not.
struct Boundary {
  std::string_view name;
  Limits passes;
  Limits fails;
};

TEST(LimitsTable, WhatTheProtocolOrAnotherLimitBoundsIsRefusedJustBeyondIt) {
  constexpr std::uint32_t kOutbox = 31 * 1024 * 1024;
  const std::vector<Boundary> boundaries{
      {"channel_name_size_max", {.channel_name_size_max = 255}, {.channel_name_size_max = 256}},
      {"hello_size_max", {.hello_size_max = 16'384}, {.hello_size_max = 16'385}},
      {"hello_size_max",
       {.hello_size_max = 9'000, .control_frame_size_max = 9'000},
       {.hello_size_max = 9'000, .control_frame_size_max = 8'999}},
      {"control_frame_size_max",
       {.control_frame_size_max = 65'536},
       {.control_frame_size_max = 65'537}},
      {"control_frame_size_max", {.control_backlog_max = 65'536}, {.control_backlog_max = 65'535}},
      {"subscription_channel_count_max",
       {.subscription_channel_count_max = 16'384},
       {.subscription_channel_count_max = 16'385}},
      {"outbox_size_max", {.outbox_size_max = kOutbox}, {.outbox_size_max = kOutbox + 1}},
      {"message_size_max", {.outbox_size_max = 1'048'576}, {.outbox_size_max = 1'048'575}},
      {"message_size_max", {.reassembly_size_max = 1'048'576}, {.reassembly_size_max = 1'048'575}},
      {"message_size_max", {.channel_size_max = 1'048'576}, {.channel_size_max = 1'048'575}},
      {"message_size_max", {.hub_size_max = 1'048'576}, {.hub_size_max = 1'048'575}},
      {"stream_window", {.connection_window = 2'097'152}, {.connection_window = 2'097'151}},
      {"half_open_count_max", {.connection_count_max = 2'000}, {.connection_count_max = 1'999}}};
  for (const Boundary& boundary : boundaries) {
    EXPECT_EQ(problem_of(boundary.passes), std::nullopt);
    EXPECT_THAT(problem_of(boundary.fails),
                Optional(HasSubstr(std::string(boundary.name) + " may not exceed ")));
  }
}

TEST(LimitsTable, ACountOfNothingIsRefusedByName) {
  for (const CountLimit& limit : count_limits()) {
    Limits limits;
    limits.*limit.member = 0;
    EXPECT_THAT(problem_of(limits), Optional(HasSubstr(std::string(limit.name) + " must be")));
  }
}

// spec: CONTROL-1
TEST(LimitsTable, ATimeOfNothingOrOfMoreThanAFrameCanStateIsRefusedByName) {
  constexpr Duration kLongest = std::chrono::milliseconds(0xffff'ffff);
  for (const DurationLimit& limit : duration_limits()) {
    Limits limits;
    limits.dead_after = kLongest;
    if (limit.name != "heartbeat_interval") limits.*limit.member = kLongest;
    EXPECT_EQ(problem_of(limits), std::nullopt) << limit.name;
    for (const Duration wrong : {Duration::zero(), -1ns, kLongest + 1ns, Duration::max()}) {
      limits.*limit.member = wrong;
      EXPECT_THAT(problem_of(limits), Optional(HasSubstr(std::string(limit.name) + " m")));
    }
  }
}

// spec: CONTROL-1
TEST(LimitsTable, AHeartbeatMustComeBeforeDeathInTheMillisecondsThatWelcomeStates) {
  EXPECT_EQ(problem_of({.heartbeat_interval = 9s, .dead_after = 10s}), std::nullopt);
  EXPECT_NE(problem_of({.heartbeat_interval = 10s, .dead_after = 10s}), std::nullopt);
  EXPECT_EQ(problem_of({.heartbeat_interval = 1ms, .dead_after = 2ms}), std::nullopt);
  EXPECT_NE(problem_of({.heartbeat_interval = 1ms, .dead_after = 1999us}), std::nullopt);
  EXPECT_THAT(problem_of({.heartbeat_interval = 999us}), Optional(HasSubstr("at least 1 ms")));
}

}  // namespace
}  // namespace orzatty::base
