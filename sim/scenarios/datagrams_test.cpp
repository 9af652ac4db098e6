// Messages that are sent once: what the network loses is told.

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

}  // namespace
}  // namespace orzatty::sim
