// Paths that lose, delay, repeat and damage: nobody notices, but by the time it takes.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using BadPath = Simulation;

TEST_F(BadPath, ThatLosesAFifthOfAllDatagramsLosesNoMessage) {
  Person alice = somebody("alice", {.delay = 40ms, .loss = 0.2});
  Person bob = somebody("bob", {.delay = 40ms, .loss = 0.2});
  bob.subscribes("room");
  alice.publishes(500, "room");

  everything_comes_to_rest();

  EXPECT_EQ(alice.accepted(), 500U);
  EXPECT_EQ(bob.received("room").size(), 500U);
  EXPECT_GT(world().path_counts().lost, 50U);
}

TEST_F(BadPath, ThatLosesInBurstsLosesNoMessage) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.path([](Conditions& path) { path.bursts = {.begins = 0.02, .ends = 0.1, .loss = 1.0}; });
  bob.subscribes("room");
  alice.publishes(1000, "room");

  everything_comes_to_rest();

  EXPECT_EQ(bob.received("room"), log("room"));
  EXPECT_GT(world().path_counts().lost_in_burst, 20U);
}

TEST_F(BadPath, ThatReordersAndRepeatsKeepsTheOrderAndRepeatsNothing) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  for (Person* person : {&alice, &bob}) {
    person->path([](Conditions& path) { path.reordering = path.duplication = 0.3; });
  }
  bob.subscribes("room");
  alice.publishes(1000, "room", 2ms);

  everything_comes_to_rest();

  EXPECT_EQ(bob.received("room"), log("room"));
  EXPECT_GT(world().path_counts().reordered, 100U);
  EXPECT_GT(world().path_counts().duplicated, 100U);
}

TEST_F(BadPath, ThatDamagesThreeOfTenDatagramsDeliversWhatWasSent) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  for (Person* person : {&alice, &bob}) {
    person->path([](Conditions& path) { path.corruption = 0.3; });
  }
  bob.subscribes("room");
  alice.publishes(500, "room");

  everything_comes_to_rest();

  EXPECT_EQ(bob.received("room").size(), 500U);
  EXPECT_GT(world().path_counts().corrupted, 100U);
}

TEST_F(BadPath, OfSixtyFourKilobitsASecondHoldsUpItsOwnSubscriberAlone) {
  the_room_keeps({.count = 0, .bytes = 0, .age = 0s});
  Person alice = somebody("alice");
  Person bob = somebody("bob", {.delay = 20ms, .loss = 0, .rate = 8'000});
  Person carol = somebody("carol");
  bob.subscribes("room");
  carol.subscribes("room");
  alice.publishes_large(200, 1000, "room");

  run_for(3s);
  EXPECT_EQ(carol.received("room").size(), 200U);
  EXPECT_LT(bob.received("room").size(), 200U);

  everything_comes_to_rest(120s);
  EXPECT_EQ(bob.received("room"), carol.received("room"));
}

}  // namespace
}  // namespace orzatty::sim
