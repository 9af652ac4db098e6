// Clients that are cut off for a while, and come back.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using Partition = Simulation;

TEST_F(Partition, OfASubscriberForAMinuteLosesAndRepeatsNothing) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes(1000, "room", 50ms);

  run_for(5s);
  bob.is_cut_off();
  run_for(60s);
  const std::size_t before = bob.received("room").size();
  bob.is_back();

  everything_comes_to_rest();
  EXPECT_LT(before, 1000U);
  EXPECT_EQ(bob.received("room"), log("room"));
  EXPECT_EQ(bob.connections(), 2U);
}

TEST_F(Partition, OfAPublisherSendsWhatHasNoFateAgainAndStoresItOnce) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes(1000, "room", 20ms);

  run_for(3s);
  alice.is_cut_off();
  run_for(12s);
  alice.is_back();

  everything_comes_to_rest();
  EXPECT_EQ(alice.accepted(), 1000U);
  EXPECT_EQ(bob.received("room").size(), 1000U);
}

TEST_F(Partition, OfOneDirectionStoresNothingTwice) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes(1000, "room", 20ms);

  run_for(3s);
  alice.path([](Conditions&) {});
  alice.hears_but_is_not_heard();
  run_for(14s);
  alice.is_back();

  everything_comes_to_rest();
  EXPECT_EQ(alice.accepted(), 1000U);
  EXPECT_EQ(log("room").size(), 1000U);
}

TEST_F(Partition, LongerThanTheRetentionIsToldAsAGap) {
  the_room_keeps({.count = 50, .bytes = 0, .age = 0s});
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes(1000, "room", 20ms);

  run_for(2s);
  bob.is_cut_off();
  run_for(30s);
  bob.is_back();

  everything_comes_to_rest();
  ASSERT_EQ(bob.missed("room").size(), 1U);
  const Gap gap = bob.missed("room").front();
  EXPECT_EQ(gap.reason, GapReason::kRetention);
  EXPECT_EQ(bob.received("room").size() + (gap.to - gap.from), 1000U);
}

// Confirmed is confirmed: what is published from then on is seen, whatever happens to the
// connection.
TEST_F(Partition, OfALiveSubscriberThatHeardNothingYetLosesNothingThatIsPublishedMeanwhile) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room", StartPosition::live());
  run_for(2s);

  bob.is_cut_off();
  run_for(15s);
  alice.publishes(10, "room");
  run_for(5s);
  bob.is_back();

  everything_comes_to_rest();
  EXPECT_EQ(bob.received("room").size(), 10U);
}

}  // namespace
}  // namespace orzatty::sim
