// Producers that outlive their processes: the newest process counts.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using NamedProducer = Simulation;

TEST_F(NamedProducer, WhoseNewerProcessStartsHasTheOlderOneShutOut) {
  Person older = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  older.publishes_as("counter", 500, "room");
  run_for(2s);

  Person newer = a_newer_process_of("alice");
  newer.publishes_as("counter", 100, "room");

  everything_comes_to_rest();
  EXPECT_EQ(newer.accepted(), 100U);
  EXPECT_GT(older.rejected(), 0U);
  EXPECT_EQ(older.accepted() + older.rejected(), 500U);
  EXPECT_EQ(log("room").size(), older.accepted() + 100);
}

TEST_F(NamedProducer, WhoseOlderProcessWasCutOffMeanwhileIsToldSoWhenItComesBack) {
  Person older = somebody("alice");
  older.publishes_as("counter", 500, "room");
  run_for(2s);
  older.is_cut_off();
  run_for(12s);

  Person newer = a_newer_process_of("alice");
  newer.publishes_as("counter", 100, "room");
  run_for(5s);
  older.is_back();

  everything_comes_to_rest();
  EXPECT_TRUE(older.is_shut_out());
  EXPECT_EQ(newer.accepted(), 100U);
}

TEST_F(NamedProducer, ThatIsStartedAgainManyTimesLeavesNothingTwiceOrOutOfOrder) {
  Person alice = somebody("alice", {.delay = 80ms, .loss = 0.05});
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes_as("counter", 1000, "room", 5ms);

  for (int i = 0; i < 6; ++i) {
    run_for(800ms);
    alice.dies();
    alice.is_started_again();
  }

  everything_comes_to_rest();
  EXPECT_FALSE(alice.is_shut_out());
  EXPECT_EQ(bob.received("room"), log("room"));
}

TEST_F(NamedProducer, OfAnotherIdentityIsAnotherProducer) {
  Person alice = somebody("alice");
  Person mallory = somebody("mallory");
  alice.publishes_as("counter", 300, "room");
  mallory.publishes_as("counter", 300, "room");

  everything_comes_to_rest();

  EXPECT_EQ(alice.accepted(), 300U);
  EXPECT_EQ(mallory.accepted(), 300U);
}

}  // namespace
}  // namespace orzatty::sim
