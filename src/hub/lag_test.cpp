#include "hub/lag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/hub_for_test.h"

namespace orzatty::hub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> slowest(const World& world, std::size_t count) {
  std::vector<std::string> texts;
  for (const SubscriptionLag& lag : world.hub.slowest_subscriptions(count)) {
    texts.push_back(lag.identity + " " + lag.channel + " " + std::to_string(lag.messages));
  }
  return texts;
}

class LagTest : public testing::Test {
 protected:
  // What was consumed is said when some time went by.
  void publish(std::string_view channel, int count) {
    for (int i = 0; i < count; ++i) ASSERT_EQ(world_.publish(channel, "x"), ErrorCode::kNone);
    world_.run();
    world_.pass(1s);
  }

  World world_;
};

TEST_F(LagTest, IsWhatASubscriberHasNotSaidThatItConsumed) {
  Client& bob = world_.connect("bob");
  Client& carol = world_.connect("carol");
  bob.subscribe("news");
  carol.subscribe("news");
  world_.run();
  publish("news", 5);
  EXPECT_THAT(slowest(world_, 9), IsEmpty());

  bob.stop_reading();
  publish("news", 7);
  EXPECT_THAT(slowest(world_, 9), ElementsAre("bob news 7"));

  bob.go_on_reading(world_.now);
  world_.pass(1s);
  EXPECT_THAT(slowest(world_, 9), IsEmpty());
}

TEST_F(LagTest, NamesTheSlowestFirstAndNoMoreThanAsked) {
  Client& bob = world_.connect("bob");
  Client& carol = world_.connect("carol");
  bob.subscribe("*");
  carol.subscribe("b");
  world_.run();
  bob.stop_reading();
  carol.stop_reading();
  publish("a", 2);
  publish("b", 3);
  publish("c", 1);

  EXPECT_THAT(slowest(world_, 9), ElementsAre("bob b 3", "carol b 3", "bob a 2", "bob c 1"));
  EXPECT_THAT(slowest(world_, 3), ElementsAre("bob b 3", "carol b 3", "bob a 2"));
  EXPECT_THAT(slowest(world_, 1), ElementsAre("bob b 3"));
  EXPECT_THAT(slowest(world_, 0), IsEmpty());
}

TEST_F(LagTest, IsNotMadeSmallerNorLargerByPositionsThatWereNotSent) {
  Client& bob = world_.connect("bob");
  const SubscriptionId id = bob.subscribe("news");
  world_.run();
  publish("news", 5);
  bob.stop_reading();
  publish("news", 5);

  for (const std::uint64_t next : {2U, 11U}) {
    bob.session.core().send(
        wire::Consumed{.nonce = 0, .positions = {{id, ChannelAlias(0), Offset(next)}}});
    world_.run();
    EXPECT_THAT(slowest(world_, 9), ElementsAre("bob news 5"));
  }
}

}  // namespace
}  // namespace orzatty::hub::test
