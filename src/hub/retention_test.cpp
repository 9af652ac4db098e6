#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/channel.h"
#include "hub/hub_for_test.h"

namespace orzatty::hub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ChannelConfig keeping(const Retention& retention, SlowPolicy policy = SlowPolicy::kWait) {
  return {.retention = retention, .slow_policy = policy};
}

// Messages a second apart lie in runs of their own, so that runs do not blur the bounds.
void publish_apart(World& world, int count, std::string_view text = "x") {
  for (int i = 0; i < count; ++i) {
    world.pass(1s);
    ASSERT_EQ(world.publish("news", text), ErrorCode::kNone);
  }
}

std::size_t kept(World& world) {
  Client& reader = world.connect("reader");
  reader.subscribe("news", StartPosition::start());
  world.run();
  return reader.received.size();
}

TEST(Retention, ByCountKeepsThatManyWhenTheyExist) {
  for (const int published : {2, 3, 4, 100}) {
    World world(config_of(keeping({.count = 3, .bytes = 0})));
    publish_apart(world, published);
    EXPECT_EQ(kept(world), static_cast<std::size_t>(std::min(published, 3))) << published;
  }
}

TEST(Retention, ByBytesKeepsThatManyWhenTheyExist) {
  const std::string text(97, 'x');  // a frame of 100: byte 0 and a length of two bytes
  for (const auto& [bytes, expected] : {std::pair{299U, 3U}, {300U, 3U}, {301U, 4U}}) {
    World world(config_of(keeping({.count = 0, .bytes = bytes})));
    publish_apart(world, 10, text);
    EXPECT_EQ(kept(world), expected) << bytes;
  }
}

TEST(Retention, ByAgeLetsGoWhenTheTimeHasComeAndNotBefore) {
  const Duration age = 10s;
  World world(config_of(keeping({.count = 0, .bytes = 0, .age = age})));
  ASSERT_EQ(world.publish("news", "x"), ErrorCode::kNone);
  const auto at = world.hub.next_timeout();
  ASSERT_TRUE(at);
  EXPECT_EQ(*at, world.now + age + base::RunIndex::kRunAgeMax);

  world.pass(age);
  EXPECT_EQ(kept(world), 1U);
  world.pass(base::RunIndex::kRunAgeMax - 1ns);
  EXPECT_EQ(kept(world), 1U);
  world.pass(1ns);
  EXPECT_EQ(kept(world), 0U);
}

TEST(Retention, ByAgeNeedsNoNewMessageToLetGo) {
  World world(config_of(keeping({.count = 0, .bytes = 0, .age = 5s})));
  publish_apart(world, 3);
  world.pass(3s + base::RunIndex::kRunAgeMax);  // the first is 5 s old
  EXPECT_EQ(kept(world), 2U);
  world.pass(1s);
  EXPECT_EQ(kept(world), 1U);
}

TEST(Retention, CountsTheBoundThatIsMetFirst) {
  World world(config_of(keeping({.count = 5, .bytes = 200, .age = 1h})));
  publish_apart(world, 10, std::string(97, 'x'));
  EXPECT_EQ(kept(world), 2U);
}

TEST(Retention, WithinARunKeepsAtMostOneRunMore) {
  World world(config_of(keeping({.count = 3, .bytes = 0})));
  for (int i = 0; i < 10; ++i) ASSERT_EQ(world.publish("news", "x"), ErrorCode::kNone);  // one run
  EXPECT_EQ(kept(world), 10U);
  publish_apart(world, 2);
  EXPECT_EQ(kept(world), 12U) << "two alone are fewer than asked for";
  publish_apart(world, 1);
  EXPECT_EQ(kept(world), 3U);
}

TEST(Retention, WithoutBoundsIsBoundedByTheSizeOfAChannel) {
  Limits limits;
  limits.channel_size_max = 1000 + 10 * Channel::kRunCost;
  World world(config_of(keeping({.count = 0, .bytes = 0}), limits));
  publish_apart(world, 30, std::string(97, 'x'));
  EXPECT_EQ(kept(world), 10U);
}

TEST(Retention, DoesNotTakeFromASubscriberThatIsWaitedFor) {
  World world(config_of(keeping({.count = 1, .bytes = 0})), 300);
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  bob.stop_reading();
  world.run();
  publish_apart(world, 10, std::string(97, 'x'));
  ASSERT_LT(bob.received.size(), 10U);

  bob.go_on_reading(world.now);
  world.run();

  EXPECT_EQ(bob.received.size(), 10U);
  EXPECT_THAT(bob.gaps, IsEmpty());
  EXPECT_EQ(kept(world), 1U);
}

TEST(Retention, ByAgeWaitsForASubscriberWithoutATimerAndLetsGoWhenItReads) {
  World world(config_of(keeping({.count = 0, .bytes = 0, .age = 1s})), 300);
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  bob.stop_reading();
  world.run();
  publish_apart(world, 6, std::string(97, 'x'));
  world.pass(2s);  // all of it has expired
  ASSERT_LT(bob.received.size(), 6U);
  EXPECT_FALSE(world.hub.next_timeout() && *world.hub.next_timeout() <= world.now);

  bob.go_on_reading(world.now);
  world.run();

  EXPECT_EQ(bob.received.size(), 6U);
  EXPECT_THAT(bob.gaps, IsEmpty());
  EXPECT_EQ(kept(world), 0U);
}

TEST(Retention, OfAnEmptiedChannelKeepsItsOffsets) {
  World world(config_of(keeping({.count = 0, .bytes = 0, .age = 5s})));
  publish_apart(world, 3);
  world.pass(20s);

  Client& bob = world.connect("bob");
  bob.subscribe("news", StartPosition::latest());
  Client& carol = world.connect("carol");
  carol.subscribe("news", StartPosition::at(Offset(1)));
  world.run();
  ASSERT_EQ(world.publish("news", "new"), ErrorCode::kNone);
  world.run();

  EXPECT_THAT(bob.received, ElementsAre(Delivered{"news", "$server", "new", 3}));
  EXPECT_THAT(bob.gaps, IsEmpty());
  EXPECT_THAT(carol.received, ElementsAre(Delivered{"news", "$server", "new", 3}));
  EXPECT_THAT(carol.gaps, ElementsAre(Missed{"news", 1, 3, GapReason::kRetention}));
}

TEST(Retention, HoldsMemoryConstantOverAMillionMessages) {
  Limits limits;
  limits.hub_size_max = 4 * 1024 * 1024;  // or messages would be rejected
  World world(config_of(keeping({.count = 0, .bytes = 1024 * 1024}), limits));
  Client& bob = world.connect("bob");
  bob.keeps = false;
  bob.subscribe("news");
  world.run();
  const Bytes payload(64);
  for (int i = 0; i < 1'000'000; ++i) {
    ASSERT_EQ(world.hub.publish(channel("news"), MessageType::kRaw, payload, world.now),
              ErrorCode::kNone);
    if (i % 1000 != 999) continue;
    world.drain_hub();
    world.run();
  }
  EXPECT_EQ(bob.received_count, 1'000'000U);
}

}  // namespace
}  // namespace orzatty::hub::test
