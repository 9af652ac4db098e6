// Messages that are sent once: what the network loses is told.

#include <algorithm>

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using testing::Each;
using testing::Field;

using Datagrams = Simulation;

TEST_F(Datagrams, OfWhichTheNetworkLosesSomeAreEachSeenOnceOrMissedByAGap) {
  the_room_is_of_datagrams();
  Person bob = somebody("bob", {.delay = 40ms, .loss = 0.05, .rate = 0});
  bob.subscribes("room");
  run_for(2s);
  Person alice = somebody("alice", {.delay = 40ms, .loss = 0.05, .rate = 0});
  alice.publishes_datagrams(2000, "room");

  run_for(10s);
  bob.is_cut_off();
  run_for(2s);
  bob.is_back();

  everything_comes_to_rest();
  EXPECT_EQ(alice.handed_to_network(), 2000U);
  EXPECT_EQ(bob.received("room").size() + bob.missed_count("room"), log("room").size());
  EXPECT_THAT(bob.missed("room"), Each(Field(&Gap::reason, GapReason::kLost)));
  EXPECT_GT(log("room").size(), 1500U);
  EXPECT_GT(bob.received("room").size(), 1000U);
}

TEST_F(Datagrams, AreSentOnceThoughPathsReorderAndRepeatThemAddressesChangeAndTheServerDies) {
  the_room_is_of_datagrams();
  Person bob = somebody("bob", {.loss = 0.05});
  Person alice = somebody("alice", {.loss = 0.05});
  for (Person* person : {&alice, &bob}) {
    person->path([](Conditions& path) { path.reordering = path.duplication = 0.1; });
  }
  bob.subscribes("room");
  run_for(2s);
  alice.publishes_datagrams(2000, "room");

  run_for(5s);
  alice.gets_a_new_nat_binding();
  bob.gets_a_new_nat_binding();
  run_for(3s);
  world().crash_server();
  run_for(1s);
  world().start_server();

  everything_comes_to_rest();
  EXPECT_EQ(alice.handed_to_network(), 2000U);
  EXPECT_EQ(bob.told_of_new_beginnings("room"), 1U);
  auto received = bob.received("room");
  std::ranges::sort(received);
  EXPECT_EQ(std::ranges::adjacent_find(received), received.end());
  EXPECT_GT(received.size(), 1000U);
}

}  // namespace
}  // namespace orzatty::sim
