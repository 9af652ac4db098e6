// Requests and their replies.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

class Requests : public Simulation {
 protected:
  // Alice asks, and bob answers from before her first request on.
  void bob_answers_alice(const Path& path = {}) {
    alice_ = somebody("alice", path);
    bob_ = somebody("bob", path);
    bob_->answers("room");
    run_for(5s);
  }
  // The server, and then whoever answers, again and again.
  void server_and_responder_die(int times) {
    for (int i = 0; i < times; ++i) {
      run_for(1s);
      world().crash_server();
      run_for(500ms);
      world().start_server();
      run_for(1s);
      bob_->dies();
      bob_->is_started_again();
    }
  }

  std::optional<Person> alice_;
  std::optional<Person> bob_;
};

TEST_F(Requests, OverPathsThatLoseATenthAreAllAnsweredOrCancelled) {
  bob_answers_alice({.delay = 40ms, .loss = 0.1});
  alice_->asks(210, "room", 20s);

  everything_comes_to_rest();

  EXPECT_EQ(alice_->requests("cancelled"), 30U);
  EXPECT_EQ(alice_->requests("answered"), 180U);
}

TEST_F(Requests, OfWhomAllConnectionsBreakAgainAndAgainAreAnsweredAllTheSame) {
  bob_answers_alice();
  Person carol = somebody("carol");
  carol.answers("*");
  run_for(1s);
  alice_->asks(700, "room", 60s);

  for (int i = 0; i < 3; ++i) {
    alice_->is_cut_off();
    run_for(12s);
    alice_->is_back();
    bob_->is_cut_off();
    carol.is_cut_off();
    run_for(12s);
    bob_->is_back();
    carol.is_back();
    run_for(2s);
  }

  everything_comes_to_rest(120s);
  EXPECT_EQ(alice_->requests("answered"), 600U);
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
  bob_answers_alice();
  alice_->asks(1000, "room", 5s);

  server_and_responder_die(3);

  everything_comes_to_rest();
  EXPECT_GT(alice_->requests("answered"), 0U);
  EXPECT_GT(alice_->requests("lost"), 0U);
}

TEST_F(Requests, WithoutAnOrderAreAnsweredOnceEachHoweverManyAnswer) {
  the_room_keeps_everything_and_no_order();
  bob_answers_alice({.delay = 40ms, .loss = 0.1});
  Person carol = somebody("carol", {.delay = 40ms, .loss = 0.1});
  carol.answers("*");
  run_for(5s);
  alice_->asks(210, "room", 20s);

  everything_comes_to_rest();
  EXPECT_EQ(alice_->requests("answered"), 180U);
}

TEST_F(Requests, ThatAreOverMakeRoomForOthersWhereFewMayWait) {
  limits().request_count_max = 8;
  Person alice = somebody("alice");
  alice.asks(140, "room", 200ms);

  everything_comes_to_rest();
  EXPECT_EQ(alice.requests("timeout") + alice.requests("refused"), 120U);
  EXPECT_GT(alice.requests("timeout"), 60U);
}

}  // namespace
}  // namespace orzatty::sim
