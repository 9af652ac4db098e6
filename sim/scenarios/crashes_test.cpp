// Machines that die: what is told of it is true.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using Crash = Simulation;

TEST_F(Crash, OfTheServerIsToldAsANewBeginningAndWhatHadNoFateIsSentToTheNext) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes(1000, "room", 10ms);

  run_for(3s);
  world().crash_server();
  run_for(1s);
  world().start_server();

  everything_comes_to_rest();
  EXPECT_EQ(alice.accepted(), 1000U);
  EXPECT_EQ(bob.told_of_new_beginnings("room"), 1U);
  EXPECT_LT(log("room").size(), 1000U) << "what the first server had is gone with it";
}

TEST_F(Crash, OfASubscriberThatStoredItsOffsetGoesOnThere) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes(1000, "room", 10ms);

  run_for(3s);
  const std::size_t before = bob.received("room").size();
  bob.dies();
  run_for(2s);
  bob.is_started_again();

  everything_comes_to_rest();
  EXPECT_EQ(before + bob.received("room").size(), 1000U);
}

TEST_F(Crash, OfAPublisherLeavesNoMessageTwiceOrOutOfOrder) {
  Person alice = somebody("alice");
  Person bob = somebody("bob", {.delay = 100ms, .loss = 0.05});
  bob.subscribes("room");
  alice.publishes(1000, "room", 5ms);

  for (int i = 0; i < 5; ++i) {
    run_for(700ms);
    alice.dies();
    alice.is_started_again();
  }

  everything_comes_to_rest();
  EXPECT_EQ(bob.received("room"), log("room"));
  EXPECT_LE(bob.received("room").size(), 1000U);
}

TEST_F(Crash, OfAServerThatOnlySleptLosesNothing) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes(1000, "room", 10ms);

  run_for(3s);
  world().pause_server();
  run_for(20s);
  world().wake_server();

  everything_comes_to_rest();
  EXPECT_EQ(alice.accepted(), 1000U);
  EXPECT_EQ(bob.received("room").size(), 1000U);
}

}  // namespace
}  // namespace orzatty::sim
