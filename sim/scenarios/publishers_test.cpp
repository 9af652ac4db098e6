// Publishers that end while others begin.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using Publishers = Simulation;

TEST_F(Publishers, ThatFollowEachOtherHaveAFateForEachMessageOfEach) {
  Person alice = somebody("alice", {.delay = 40ms, .loss = 0.1});
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes_by_many(1000, 10, "room", 2ms);

  everything_comes_to_rest();
  run_for(10s);  // the ends of their streams

  EXPECT_EQ(alice.accepted(), 1000U);
  EXPECT_EQ(alice.publishers_ended(), 100U);
  EXPECT_EQ(bob.received("room"), log("room"));
}

TEST_F(Publishers, ThatEndWhileTheirClientIsCutOffOrTheServerDiesAreWaitedFor) {
  Person alice = somebody("alice");
  alice.publishes_by_many(1000, 7, "room", 5ms);
  run_for(1s);
  alice.is_cut_off();
  run_for(12s);
  alice.is_back();
  run_for(500ms);
  world().crash_server();
  run_for(1s);
  world().start_server();

  everything_comes_to_rest();
  run_for(10s);
  EXPECT_EQ(alice.publishers_ended(), 142U) << "the last one goes on";
}

}  // namespace
}  // namespace orzatty::sim
