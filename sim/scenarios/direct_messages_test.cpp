// What the server sends to one session alone.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using DirectMessages = Simulation;

TEST_F(DirectMessages, OverAPathThatLosesAFifthAllArriveInOrder) {
  the_server_sends_to_each_alone(50);
  Person bob = somebody("bob", {.delay = 40ms, .loss = 0.2});

  run_for(10s);
  everything_comes_to_rest();

  EXPECT_GE(bob.received_alone(), 48U);
}

TEST_F(DirectMessages, ThatWereSentWhileTheClientWasCutOffArriveInTheSameSession) {
  the_server_sends_to_each_alone(150);
  Person bob = somebody("bob");

  run_for(2s);
  bob.is_cut_off();
  run_for(15s);
  const std::uint64_t before = bob.received_alone();
  bob.is_back();

  everything_comes_to_rest();
  EXPECT_LT(before, 30U);
  EXPECT_GE(bob.received_alone(), 148U);
  EXPECT_EQ(bob.sessions(), 1U);
}

TEST_F(DirectMessages, ToASessionThatIsOverAreNotGivenToTheNext) {
  limits().session_retention = 1s;
  the_server_sends_to_each_alone(250);
  Person bob = somebody("bob");

  run_for(2s);
  bob.is_cut_off();
  run_for(15s);
  bob.is_back();

  everything_comes_to_rest();
  EXPECT_EQ(bob.sessions(), 2U);
  EXPECT_LT(bob.received_alone(), 150U);
}

}  // namespace
}  // namespace orzatty::sim
