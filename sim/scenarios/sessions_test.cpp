// Sessions that outlive their connection, for a bounded time and in bounded memory.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using Session = Simulation;

TEST_F(Session, OfAClientThatWasCutOffIsTheSameWhenItComesBack) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes(1000, "room", 20ms);

  run_for(3s);
  bob.is_cut_off();
  run_for(20s);
  bob.is_back();

  everything_comes_to_rest();
  EXPECT_EQ(bob.sessions(), 1U);
  EXPECT_EQ(bob.resumed(), 1U);
  EXPECT_EQ(bob.received("room"), log("room"));
}

TEST_F(Session, ThatWaitedTooLongIsANewOneAndNothingIsLostOfWhatTheChannelKeeps) {
  limits().session_retention = 2s;
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes(1000, "room", 20ms);

  run_for(3s);
  bob.is_cut_off();
  run_for(20s);
  bob.is_back();

  everything_comes_to_rest();
  EXPECT_EQ(bob.sessions(), 2U);
  EXPECT_EQ(bob.resumed(), 0U);
  EXPECT_EQ(bob.received("room"), log("room"));
}

TEST_F(Session, ThatWouldHoldTooMuchIsNotKept) {
  limits().session_retained_size_max = 50;
  Person bob = somebody("bob");
  bob.subscribes("room");

  run_for(2s);
  bob.is_cut_off();
  run_for(15s);
  bob.is_back();

  everything_comes_to_rest();
  EXPECT_EQ(bob.sessions(), 2U);
  EXPECT_EQ(bob.resumed(), 0U);
}

TEST_F(Session, ThatWaitsLongestGoesWhenTooManyDo) {
  limits().session_retained_count_max = 1;
  Person bob = somebody("bob");
  Person carol = somebody("carol");
  bob.subscribes("room");
  carol.subscribes("room");
  run_for(2s);

  bob.is_cut_off();
  run_for(3s);
  carol.is_cut_off();
  run_for(17s);
  bob.is_back();
  carol.is_back();

  everything_comes_to_rest();
  EXPECT_EQ(bob.resumed(), 0U) << "it had waited longer";
  EXPECT_EQ(carol.resumed(), 1U);
}

TEST_F(Session, OfAServerThatIsGoneIsNotFoundByTheNextOne) {
  Person alice = somebody("alice");
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes(500, "room");

  run_for(2s);
  world().crash_server();
  world().start_server();

  everything_comes_to_rest();
  EXPECT_EQ(bob.sessions(), 2U);
  EXPECT_EQ(bob.resumed(), 0U);
  EXPECT_EQ(bob.told_of_new_beginnings("room"), 1U);
}

// Its token stands for another identity when it comes back: to the server it has stolen the id.
TEST_F(Session, WhoseIdWasStolenIsNotGivenToAnotherIdentity) {
  Person thief = somebody("thief");
  thief.subscribes("room");
  run_for(2s);

  thief.is_cut_off();
  run_for(15s);
  thief.is_back();

  everything_comes_to_rest();
  EXPECT_EQ(thief.sessions(), 2U);
  EXPECT_EQ(thief.resumed(), 0U);
}

TEST_F(Session, OverManyBreaksOfBothSidesLosesNothing) {
  Person alice = somebody("alice", {.delay = 30ms, .loss = 0.02});
  Person bob = somebody("bob", {.delay = 30ms, .loss = 0.02});
  bob.subscribes("room");
  alice.publishes(2000, "room", 50ms);

  for (int i = 0; i < 4; ++i) {
    run_for(3s);
    (i % 2 == 0 ? alice : bob).is_cut_off();
    run_for(13s);
    (i % 2 == 0 ? alice : bob).is_back();
  }

  everything_comes_to_rest(120s);
  EXPECT_EQ(alice.accepted(), 2000U);
  EXPECT_EQ(bob.received("room"), log("room"));
  EXPECT_EQ(alice.sessions() + bob.sessions(), 2U);
}

}  // namespace
}  // namespace orzatty::sim
