#include "hub/fates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/hub_for_test.h"

namespace orzatty::hub::test {
namespace {

using testing::ElementsAre;
using wire::FateKind;
using wire::FateRun;

std::vector<FateRun> ask(World& world, Client& client, std::string_view name, std::uint64_t first,
                         std::uint64_t count, std::uint8_t producer = 1, std::uint64_t epoch = 0) {
  client.told_fates.clear();
  client.session.ask({.question = 3,
                      .producer = producer_id(producer),
                      .epoch = ProducerEpoch(epoch),
                      .channel = channel(name),
                      .runs = {{Sequence(first), count, FateKind::kAsked, 0}}});
  world.run();
  if (client.told_fates.size() != 1) return {};
  EXPECT_EQ(client.told_fates[0].question, 3U);
  return client.told_fates[0].runs;
}

// spec: FATE-3
TEST(Fates, AreToldWithTheOffsetsOfWhatWasAcceptedAndTheReasonOfWhatWasNot) {
  World world;
  Client& bob = world.connect("bob");
  bob.send_run(bob.open_publication("news", 0, 9), {"x"});
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  alice.send_run(stream, {"0", "1"});
  world.run();
  bob.send_run(bob.open_publication("news", 1, 9), {"y"});
  world.run();
  alice.send_run(stream, {"2"});
  world.run();
  alice.skip(stream, 5);
  world.run();

  const auto runs = ask(world, alice, "news", 1, 10);

  ASSERT_EQ(runs.size(), 4U);
  EXPECT_EQ(runs[0], (FateRun{Sequence(1), 1, FateKind::kAccepted, 2}));
  EXPECT_EQ(runs[1], (FateRun{Sequence(2), 1, FateKind::kAccepted, 4}));
  EXPECT_EQ(runs[2].kind, FateKind::kRejected) << "skipped: never stored";
  EXPECT_EQ(runs[2].count, 2U);
  EXPECT_EQ(runs[3], (FateRun{Sequence(5), 6, FateKind::kUnknown, 0}));
}

// spec: FATE-3
TEST(Fates, OfWhatTheChannelLetGoOfAreForgotten) {
  World world(config_of({.retention = {.count = 1, .bytes = 0}}));
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  for (const char* text : {"0", "1", "2"}) {
    alice.send(stream, text);
    world.run();
    world.pass(1s);
  }

  EXPECT_THAT(ask(world, alice, "news", 0, 3),
              ElementsAre(FateRun{Sequence(0), 2, FateKind::kForgotten, 0},
                          FateRun{Sequence(2), 1, FateKind::kAccepted, 2}));
}

// spec: FATE-3
TEST(Fates, OfAnEndpointAreKnownWithoutALog) {
  World world;
  world.hub.handle_channel(channel("endpoint"), 0);
  Client& alice = world.connect("alice");
  alice.send_run(alice.open_publication("endpoint", 2), {"2", "3"});
  world.run();

  EXPECT_THAT(ask(world, alice, "endpoint", 0, 6),
              ElementsAre(FateRun{Sequence(0), 2, FateKind::kUnknown, 0},
                          FateRun{Sequence(2), 2, FateKind::kAccepted, 2},
                          FateRun{Sequence(4), 2, FateKind::kUnknown, 0}));
}

// spec: FATE-3
TEST(Fates, OfAnotherIdentityAnotherEpochOrAnUnknownChannelAreUnknown) {
  World world;
  Client& alice = world.connect("alice");
  alice.send_run(alice.open_publication("news"), {"0"});
  world.run();
  Client& mallory = world.connect("mallory");
  const FateRun unknown{Sequence(0), 1, FateKind::kUnknown, 0};

  EXPECT_THAT(ask(world, mallory, "news", 0, 1), ElementsAre(unknown));
  EXPECT_THAT(ask(world, alice, "news", 0, 1, 2), ElementsAre(unknown));
  EXPECT_THAT(ask(world, alice, "news", 0, 1, 1, 1), ElementsAre(unknown));
  EXPECT_THAT(ask(world, alice, "olds", 0, 1), ElementsAre(unknown));
  EXPECT_THAT(ask(world, alice, "news", 0, 1),
              ElementsAre(FateRun{Sequence(0), 1, FateKind::kAccepted, 0}));
}

// spec: FATE-2
TEST(Fates, AQuestionThatIsAnAnswerIsRefused) {
  World world;
  Client& alice = world.connect("alice");

  alice.session.ask({.question = 0,
                     .producer = {},
                     .epoch = {},
                     .channel = channel("news"),
                     .runs = {{Sequence(0), 1, FateKind::kAccepted, 0}}});
  world.run();

  ASSERT_TRUE(alice.closed_by_hub);
  EXPECT_EQ(alice.closed_by_hub->code, ErrorCode::kFrameMalformed);
}

}  // namespace
}  // namespace orzatty::hub::test
