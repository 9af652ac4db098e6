// Channels that keep no order: each message once, whatever becomes of paths and connections.

#include <algorithm>

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using Unordered = Simulation;

std::vector<MessageName> sorted(std::vector<MessageName> messages) {
  std::ranges::sort(messages);
  return messages;
}

TEST_F(Unordered, EachMessageComesOnceOverPathsThatLoseReorderAndBreak) {
  the_room_keeps_everything_and_no_order();
  Person alice = somebody("alice", {.loss = 0.1});
  Person bob = somebody("bob", {.loss = 0.1});
  for (Person* person : {&alice, &bob}) {
    person->path([](Conditions& path) { path.reordering = path.duplication = 0.2; });
  }
  bob.subscribes("room");
  alice.publishes_unordered(2000, "room", 10ms);

  run_for(3s);
  for (Person* person : {&bob, &alice}) {
    person->is_cut_off();
    run_for(15s);
    person->is_back();
    run_for(2s);
  }
  everything_comes_to_rest();

  EXPECT_EQ(sorted(bob.received("room")), sorted(log("room")));
  EXPECT_EQ(alice.accepted(), 2000U);
  EXPECT_GT(alice.resumed() + bob.resumed(), 0U);
}

TEST_F(Unordered, WhatASubscriberThatWasAwayComesTooLateForIsAGapAndTheRestComesOnce) {
  the_room_has_no_order_and_keeps(100);
  Person alice = somebody("alice", {.loss = 0.1});
  Person bob = somebody("bob", {.loss = 0.1});
  bob.subscribes("room");
  run_for(1s);
  alice.publishes_unordered(2000, "room", 10ms);

  run_for(3s);
  bob.is_cut_off();
  run_for(12s);
  bob.is_back();

  everything_comes_to_rest();
  EXPECT_GT(bob.missed_count("room"), 100U);
  EXPECT_EQ(bob.received("room").size() + bob.missed_count("room"), 2000U);
}

TEST_F(Unordered, ASubscriberThatComesLateIsGivenWhatIsKeptAndAllThatFollows) {
  the_room_keeps_everything_and_no_order();
  Person alice = somebody("alice", {.loss = 0.05});
  alice.publishes_unordered(1000, "room", 20ms);
  run_for(3s);

  Person bob = somebody("bob", {.loss = 0.05});
  Person carol = somebody("carol", {.loss = 0.05});
  bob.subscribes("room");
  carol.subscribes("room", StartPosition::live());

  everything_comes_to_rest();
  EXPECT_EQ(sorted(bob.received("room")), sorted(log("room")));
  EXPECT_LT(carol.received("room").size(), 1000U);
}

TEST_F(Unordered, MessagesOfServersAndPublishersThatDieAreEachStoredOnceOrHaveAnotherFate) {
  the_room_keeps_everything_and_no_order();
  Person alice = somebody("alice", {.loss = 0.05});
  Person bob = somebody("bob");
  bob.subscribes("room");
  alice.publishes_unordered(1000, "room", 20ms);

  for (int i = 0; i < 2; ++i) {
    run_for(1s);
    world().crash_server();
    run_for(500ms);
    world().start_server();
    run_for(1s);
    alice.dies();
    alice.is_started_again();
  }

  everything_comes_to_rest();
  EXPECT_GT(bob.told_of_new_beginnings("room"), 0U);
}

}  // namespace
}  // namespace orzatty::sim
