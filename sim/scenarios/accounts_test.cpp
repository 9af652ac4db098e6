// Both accounts balance: a publisher's by fates, a subscriber's by messages and gaps.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using Account = Simulation;

TEST_F(Account, OfAPublisherBalancesWhenTheHubIsFullAndRejects) {
  limits().hub_size_max = 128 * 1024;
  limits().message_size_max = limits().stream_window = 16 * 1024;
  the_room_keeps({.count = 0, .bytes = 0, .age = 0s});
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes_large(800, 1000, "room");

  everything_comes_to_rest();

  EXPECT_GT(alice.rejected(), 0U);
  EXPECT_EQ(alice.accepted() + alice.rejected(), 800U);
  EXPECT_EQ(bob.received("room").size(), alice.accepted());
}

TEST_F(Account, OfEachSubscriberToAChannelThatKeepsLittleBalances) {
  the_room_keeps({.count = 100, .bytes = 0, .age = 0s});
  Person alice = somebody("alice");
  alice.publishes(1000, "room", 5ms);
  run_for(3s);

  Person early = somebody("early");
  early.subscribes("room", StartPosition::at(Offset(0)));
  run_for(10s);
  Person late = somebody("late");
  late.subscribes("room", StartPosition::at(Offset(0)));

  everything_comes_to_rest();
  EXPECT_EQ(early.received("room").size() + early.missed_count("room"), 1000U);
  EXPECT_EQ(late.received("room").size() + late.missed_count("room"), 1000U);
  EXPECT_GE(late.received("room").size(), 100U);
}

TEST_F(Account, OfAnUrgentChannelIsClearedLongBeforeThatOfALargeTransfer) {
  Person alice = somebody("alice", {.delay = 20ms, .loss = 0, .rate = 100'000});
  Person bob = somebody("bob");
  bob.subscribes("bulk");
  bob.subscribes("urgent");
  alice.publishes_large(500, 4000, "bulk");
  alice.publishes_urgently(50, "urgent", 20ms);

  run_for(5s);
  EXPECT_EQ(bob.received("urgent").size(), 50U);
  EXPECT_LT(bob.received("bulk").size(), 400U);

  everything_comes_to_rest();
  EXPECT_EQ(bob.received("bulk").size(), 500U);
}

}  // namespace
}  // namespace orzatty::sim
