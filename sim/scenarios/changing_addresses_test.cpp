// Clients whose address changes, whether they know or not: the connection goes on.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using ChangingAddress = Simulation;

TEST_F(ChangingAddress, ByANatThatForgetsIsFollowedAndNothingIsLost) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes(1000, "room");

  for (int i = 0; i < 5; ++i) {
    run_for(2s);
    alice.gets_a_new_nat_binding();
  }

  everything_comes_to_rest();
  EXPECT_EQ(bob.received("room").size(), 1000U);
  EXPECT_EQ(alice.connections(), 1U) << "the connection went on";
}

TEST_F(ChangingAddress, OfAClientThatMovesIsFollowedByItsConnection) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes(1000, "room");

  for (int i = 0; i < 3; ++i) {
    run_for(2s);
    bob.moves_to_another_network();
  }

  everything_comes_to_rest();
  EXPECT_EQ(bob.received("room").size(), 1000U);
  EXPECT_EQ(bob.connections(), 1U) << "the connection went on";
}

}  // namespace
}  // namespace orzatty::sim
