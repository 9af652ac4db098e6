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

}  // namespace
}  // namespace orzatty::sim
