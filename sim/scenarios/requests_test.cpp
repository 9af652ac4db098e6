// Requests and their replies.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using Requests = Simulation;

TEST_F(Requests, OverPathsThatLoseATenthAreAllAnsweredOrCancelled) {
  Person alice = somebody("alice", {.delay = 40ms, .loss = 0.1});
  Person bob = somebody("bob", {.delay = 40ms, .loss = 0.1});
  bob.answers("room");
  run_for(5s);
  alice.asks(210, "room", 20s);

  everything_comes_to_rest();

  EXPECT_EQ(alice.requests("cancelled"), 30U);
  EXPECT_EQ(alice.requests("answered"), 180U);
}

TEST_F(Requests, OfWhomAllConnectionsBreakAgainAndAgainAreAnsweredAllTheSame) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  Person carol = somebody("carol");
  bob.answers("room");
  carol.answers("*");
  run_for(1s);
  alice.asks(700, "room", 60s);

  for (int i = 0; i < 3; ++i) {
    alice.is_cut_off();
    run_for(12s);
    alice.is_back();
    bob.is_cut_off();
    carol.is_cut_off();
    run_for(12s);
    bob.is_back();
    carol.is_back();
    run_for(2s);
  }

  everything_comes_to_rest(120s);
  EXPECT_EQ(alice.requests("answered"), 600U);
}

// The auditor reads along, so that none is refused.
TEST_F(Requests, ThatNobodyAnswersOrNobodyInTimeEndWithTheirTime) {
  Person alice = somebody("alice");
  alice.asks(70, "room", 1s);
  run_for(5s);
  EXPECT_EQ(alice.requests("timeout"), 60U);

  Person bob = somebody("bob", {.delay = 400ms});
  bob.answers("room");
  run_for(5s);
  alice.asks(70, "room", 300ms);

  everything_comes_to_rest();
  EXPECT_EQ(alice.requests("timeout"), 120U);
  EXPECT_EQ(alice.requests("answered"), 0U);
}

TEST_F(Requests, OfProcessesAndServersThatDieEndInOneWayEach) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.answers("room");
  alice.asks(1000, "room", 5s);

  for (int i = 0; i < 3; ++i) {
    run_for(1s);
    world().crash_server();
    run_for(500ms);
    world().start_server();
    run_for(1s);
    bob.dies();
    bob.is_started_again();
  }

  everything_comes_to_rest();
  EXPECT_GT(alice.requests("answered"), 0U);
  EXPECT_GT(alice.requests("lost"), 0U);
}

}  // namespace
}  // namespace orzatty::sim
