// Messages that are worth nothing after a while: in time, or said so.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using testing::Each;
using testing::Field;
using testing::IsEmpty;
using testing::Not;

using Deadline = Simulation;

TEST_F(Deadline, OfWhatASenderCouldNotSendInTimeIsToldAndTheRestArrives) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes_for(500ms, 1000, "room", 20ms);

  run_for(3s);
  alice.is_cut_off();
  run_for(12s);
  alice.is_back();

  everything_comes_to_rest();
  EXPECT_GT(alice.expired(), 100U);
  EXPECT_EQ(alice.accepted() + alice.expired(), 1000U);
  EXPECT_EQ(bob.received("room").size() + bob.missed_count("room"), alice.accepted());
}

TEST_F(Deadline, ThatPassedBeforeASubscriberCameIsAGapForIt) {
  Person alice = somebody("alice");
  alice.publishes_for(500ms, 100, "room");
  run_for(5s);

  Person bob = somebody("bob");
  bob.subscribes("room");

  everything_comes_to_rest();
  EXPECT_EQ(bob.missed_count("room"), 100U);
  EXPECT_THAT(bob.missed("room"), Each(Field(&Gap::reason, GapReason::kExpired)));
}

TEST_F(Deadline, ThatPassesWhileASubscriberIsCutOffIsAGapAndWhatIsFreshArrives) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes_for(1s, 1000, "room", 20ms);

  run_for(2s);
  bob.is_cut_off();
  run_for(14s);
  bob.is_back();

  everything_comes_to_rest();
  EXPECT_THAT(bob.missed("room"), Not(IsEmpty()));
  EXPECT_EQ(bob.received("room").size() + bob.missed_count("room"), 1000U);
  EXPECT_EQ(bob.received("room").back(), log("room").back());
}

}  // namespace
}  // namespace orzatty::sim
