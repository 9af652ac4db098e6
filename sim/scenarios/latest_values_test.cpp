// Values of which only the newest of each key counts, over paths that lose and break.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using testing::Each;
using testing::Field;
using testing::IsEmpty;

class LatestValues : public Simulation {
 protected:
  LatestValues() { the_room_is_of_values(); }

  static void saw_or_missed_all(const Person& person, std::uint64_t count) {
    EXPECT_EQ(person.received("room").size() + person.missed_count("room"), count);
    EXPECT_THAT(person.missed("room"), Each(Field(&Gap::reason, GapReason::kSuperseded)));
  }
};

// spec: LATEST-2
TEST_F(LatestValues, AreAllThatASubscriberWhoComesLateIsGiven) {
  Person alice = somebody("alice");
  alice.publishes_values(1000, 7, "room");
  run_for(15s);

  Person bob = somebody("bob");
  bob.subscribes("room");

  everything_comes_to_rest();
  EXPECT_EQ(bob.received("room").size(), 7U);
  EXPECT_EQ(bob.received("room").back(), log("room").back());
  EXPECT_EQ(alice.accepted() + alice.superseded(), 1000U);
}

// spec: LATEST-2
TEST_F(LatestValues, ThatCameWhileASubscriberWasAwayReachItWithoutThoseTheyTookThePlaceOf) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  run_for(1s);
  alice.publishes_values(2000, 5, "room", 50ms);

  run_for(3s);
  bob.is_cut_off();
  run_for(12s);
  bob.is_back();

  everything_comes_to_rest();
  EXPECT_GT(bob.resumed(), 0U);
  EXPECT_GT(bob.missed_count("room"), 500U);
  saw_or_missed_all(bob, alice.accepted());
}

// spec: LATEST-2
TEST_F(LatestValues, ReachASlowSubscriberWhomNobodyWaitsFor) {
  Person bob = somebody("bob", {.delay = 100ms, .loss = 0.05, .rate = 5'000});
  Person carol = somebody("carol");
  bob.subscribes("room");
  carol.subscribes("room");
  run_for(2s);

  somebody("alice").publishes_values(5000, 10, "room");

  everything_comes_to_rest();
  EXPECT_LT(bob.received("room").size(), carol.received("room").size());
  EXPECT_EQ(bob.received("room").back(), carol.received("room").back());
}

// spec: LATEST-1
TEST_F(LatestValues, OfASlowPublisherTakeThePlaceOfThoseThatItDidNotSendAndAreCounted) {
  Person alice = somebody("alice", {.delay = 40ms, .loss = 0.1, .rate = 5'000});
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes_values(3000, 6, "room", 5ms);

  run_for(2s);
  alice.is_cut_off();
  run_for(15s);
  alice.is_back();

  everything_comes_to_rest();
  EXPECT_GT(alice.superseded(), 1000U);
  EXPECT_EQ(alice.accepted() + alice.superseded(), 3000U);
  saw_or_missed_all(bob, alice.accepted());
}

// spec: LATEST-2
TEST_F(LatestValues, ThatExpiredAreGivenToNobodyAndAccountedFor) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  run_for(1s);
  alice.publishes_values_for(500ms, 100, 4, "room");
  run_for(5s);

  Person carol = somebody("carol");
  carol.subscribes("room");

  everything_comes_to_rest();
  EXPECT_THAT(carol.received("room"), IsEmpty());
  EXPECT_EQ(bob.received("room").size() + bob.missed_count("room"), alice.accepted());
}

TEST_F(LatestValues, OfServersThatDieArePublishedAnewOrGone) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes_values(1000, 5, "room", 100ms);

  run_for(3s);
  world().crash_server();
  run_for(500ms);
  world().start_server();

  everything_comes_to_rest();
  EXPECT_EQ(bob.told_of_new_beginnings("room"), 1U);
  EXPECT_EQ(bob.received("room").back(), log("room").back());
}

}  // namespace
}  // namespace orzatty::sim
