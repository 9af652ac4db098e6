// Channels that keep no order: what the hub takes from passing streams, and gives on such streams.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/channel.h"
#include "hub/hub_for_test.h"

namespace orzatty::hub::test {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

HubConfig unordered(Retention retention = {.count = 100'000}) {
  HubConfig config;
  config.channel_default.mode = DeliveryMode::kUnordered;
  config.channel_default.retention = retention;
  return config;
}

wire::Publish preface(std::string_view name = "chat", std::uint64_t publication = 1) {
  return {.publication = PublicationId(publication),
          .producer = producer_id(1),
          .epoch = {},
          .next = {},
          .channel = channel(name),
          .mode = DeliveryMode::kUnordered};
}

std::vector<std::string> ones(std::size_t count) { return std::vector<std::string>(count, "x"); }

// spec: STREAM-7, STREAM-11, PUBLISH-10
TEST(Unordered, MessagesAreStoredAsTheyComeThoughThePublicationsOwnStreamComesLast) {
  World world(unordered());
  Client& bob = world.connect("bob");
  bob.subscribe("chat");
  Client& alice = world.connect("alice");

  alice.send_passing(preface(), 3, {"three"});
  alice.send_passing(preface(), 0, {"zero", "one"});
  alice.open_publication(preface());
  world.settle();

  EXPECT_THAT(bob.received, ElementsAre(Delivered{"chat", "alice", "three", 0},
                                        Delivered{"chat", "alice", "zero", 1},
                                        Delivered{"chat", "alice", "one", 2}));
  EXPECT_THAT(alice.acknowledged(), UnorderedElementsAre(Pair(0, Pair(1, false)),
                                                         Pair(1, Pair(2, false)),
                                                         Pair(3, Pair(0, false))));
  EXPECT_FALSE(alice.closed_by_hub);
}

// spec: PUBLISH-2, PUBLISH-10
TEST(Unordered, WhatComesAgainIsKnownWhereverItLies) {
  World world(unordered());
  Client& before = world.connect("alice");
  before.open_publication(preface());
  before.send_passing(preface(), 4, {"four", "five"});
  before.send_passing(preface(), 1, {"one"});
  world.settle();
  world.cut(before);
  Client& alice = world.connect("alice");
  alice.open_publication(preface());

  alice.send_passing(preface(), 0, {"zero", "one", "two", "three", "four", "five", "six"});
  world.settle();

  EXPECT_THAT(alice.acknowledged(),
              UnorderedElementsAre(Pair(0, Pair(3, false)), Pair(1, Pair(2, true)),
                                   Pair(2, Pair(4, false)), Pair(3, Pair(5, false)),
                                   Pair(4, Pair(0, true)), Pair(5, Pair(1, true)),
                                   Pair(6, Pair(6, false))));
  EXPECT_EQ(world.hub.counters().duplicates, 3U);
}

// spec: PUBLISH-2
TEST(Unordered, WhatWasLetGoOfIsKnownStillThoughLaterSequencesOfItAreKept) {
  World world(unordered({.count = 1}));
  Client& alice = world.connect("alice");
  alice.open_publication(preface());
  alice.send_passing(preface(), 5, {"five"});
  alice.send_passing(preface(), 2, {"two"});
  world.settle();
  alice.acks.clear();

  alice.send_passing(preface(), 5, {"five"});
  world.settle();

  ASSERT_EQ(alice.acks.size(), 1U);
  EXPECT_TRUE(alice.acks[0].duplicate && alice.acks[0].forgotten);
  EXPECT_TRUE(alice.rejects.empty());
}

// spec: FATE-3
TEST(Unordered, FatesAreToldOfWhatLiesAboveAHole) {
  World world(unordered());
  Client& alice = world.connect("alice");
  alice.open_publication(preface());
  alice.send_passing(preface(), 2, {"two"});
  world.settle();

  alice.session.ask({.question = 1,
                     .producer = producer_id(1),
                     .epoch = {},
                     .channel = channel("chat"),
                     .runs = {{Sequence(0), 4, wire::FateKind::kAsked, 0}}});
  world.settle();

  ASSERT_EQ(alice.told_fates.size(), 1U);
  const auto& runs = alice.told_fates[0].runs;
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0].kind, wire::FateKind::kUnknown);
  EXPECT_EQ(runs[1].kind, wire::FateKind::kAccepted);
  EXPECT_EQ(runs[1].value, 0U);
  EXPECT_EQ(runs[2].kind, wire::FateKind::kUnknown);
}

// spec: PUBLISH-11
TEST(Unordered, AsManyHolesAsMayBeAreKeptInMindAndOneMoreEndsTheSession) {
  World world(unordered());
  Client& alice = world.connect("alice");
  alice.open_publication(preface());
  for (std::uint64_t hole = 0; hole < 1024; ++hole) {
    alice.send_passing(preface(), 1 + 2 * hole, ones(1));
  }
  world.settle();
  EXPECT_FALSE(alice.closed_by_hub);

  alice.send_passing(preface(), 1 + 2 * 1024, ones(1));
  world.settle();

  ASSERT_TRUE(alice.closed_by_hub);
  EXPECT_EQ(alice.closed_by_hub->code, ErrorCode::kLimitExceeded);
}

// spec: PUBLISH-11
TEST(Unordered, WhoFindsNoRoomForItsChannelHasNoMoreHolesThanOthers) {
  HubConfig config = unordered();
  config.limits.channel_count_max = 1;
  World world(std::move(config));
  ASSERT_EQ(world.publish("another", "takes the room"), ErrorCode::kNone);
  Client& alice = world.connect("alice");
  alice.open_publication(preface());
  for (std::uint64_t hole = 0; hole < 1024; ++hole) {
    alice.send_passing(preface(), 1 + 2 * hole, ones(1));
  }
  world.settle();
  EXPECT_FALSE(alice.closed_by_hub);

  alice.send_passing(preface(), 1 + 2 * 1024, ones(1));
  world.settle();

  ASSERT_TRUE(alice.closed_by_hub);
  EXPECT_EQ(alice.closed_by_hub->code, ErrorCode::kLimitExceeded);
}

// Of two who take turns, so that each message is a run.
// spec: PUBLISH-11
TEST(Unordered, WhatWasOvertakenByMoreThanAnybodyMayHaveUnderWayIsRejected) {
  World world(unordered());
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  for (Client* const client : {&alice, &bob}) client->open_publication(preface());
  const auto take_turns = [&](std::uint64_t sequence) {
    alice.send_passing(preface(), sequence, ones(1));
    world.run();
    bob.send_passing(preface(), sequence, ones(1));
    world.run();
  };
  for (std::uint64_t i = 0; i < Channel::kOvertakenMax; ++i) take_turns(10 + i);
  alice.send_passing(preface(), 1, {"overtaken by as many as may be"});
  world.settle();
  EXPECT_EQ(alice.acknowledged().count(1), 1U);

  take_turns(10 + Channel::kOvertakenMax);
  alice.send_passing(preface(), 3, {"overtaken by one more"});
  world.settle();

  ASSERT_EQ(alice.rejects.size(), 1U);
  EXPECT_EQ(alice.rejects[0].from, Sequence(3));
  EXPECT_EQ(alice.rejects[0].code, ErrorCode::kOverloaded);
}

// spec: PUBLISH-9
TEST(Unordered, APublicationWithAnOrderLeavesNoMarkInAnEpochThatBeganWithoutOne) {
  World world(unordered());
  Client& alice = world.connect("alice");
  alice.open_publication(preface());
  alice.send_passing(preface(), 0, {"zero"});
  wire::Publish ordered = preface("chat", 2);
  ordered.mode = DeliveryMode::kReliable;
  ordered.next = Sequence(1);
  alice.send(alice.open_publication(ordered), "in the wrong mode");
  world.settle();
  ASSERT_EQ(alice.rejects.size(), 1U);
  EXPECT_EQ(alice.rejects[0].publication, PublicationId(2));
  EXPECT_EQ(alice.rejects[0].code, ErrorCode::kModeUnsupported);

  alice.send_passing(preface(), 1, {"one"});
  world.settle();

  EXPECT_THAT(alice.acknowledged(),
              UnorderedElementsAre(Pair(0, Pair(0, false)), Pair(1, Pair(1, false))));
  EXPECT_EQ(alice.rejects.size(), 1U);
}

// spec: PUBLISH-5, PUBLISH-8
TEST(Unordered, WhatWasSkippedIsAnsweredByItselfAndNeverStored) {
  World world(unordered());
  Client& alice = world.connect("alice");
  alice.open_publication(preface());
  wire::Publish passing = preface();
  passing.passing = true;
  const StreamKey skipping = alice.open_publication(passing);
  Bytes skip;
  wire::encode(wire::Skip{Sequence(3), Sequence(5), GapReason::kExpired}, skip);
  alice.write(skipping, skip);
  alice.finish(skipping);
  world.settle();

  alice.send_passing(preface(), 4, {"late"});
  world.settle();

  ASSERT_EQ(alice.rejects.size(), 2U);
  EXPECT_EQ(alice.rejects[0].from, Sequence(3));
  EXPECT_EQ(alice.rejects[0].to, Sequence(5));
  EXPECT_EQ(alice.rejects[1].from, Sequence(4));
  EXPECT_EQ(alice.rejects[1].code, ErrorCode::kExpired);
  EXPECT_EQ(world.hub.counters().messages_in, 1U) << "came, and was refused";
}

// spec: STREAM-7
TEST(Unordered, AStreamThatClaimsAnotherPublicationsIdEndsTheSession) {
  World world(unordered());
  Client& alice = world.connect("alice");
  alice.open_publication(preface("chat"));
  alice.send_passing(preface("news"), 0, {"a"});
  world.settle();

  ASSERT_TRUE(alice.closed_by_hub);
  EXPECT_EQ(alice.closed_by_hub->code, ErrorCode::kFrameUnexpected);
}

// spec: PUBLISH-1, STREAM-11
TEST(Unordered, APassingStreamOfAPublicationThatKeepsAnOrderEndsTheSession) {
  World world(unordered());
  Client& alice = world.connect("alice");
  wire::Publish ordered = preface();
  ordered.mode = DeliveryMode::kReliable;

  alice.send_passing(ordered, 3, {"out of order"});
  world.settle();

  ASSERT_TRUE(alice.closed_by_hub);
  EXPECT_EQ(alice.closed_by_hub->code, ErrorCode::kFrameUnexpected);
  EXPECT_EQ(world.hub.counters().messages_in, 0U);
}

// spec: STREAM-9
TEST(Unordered, PassingStreamsOpenNoMorePublicationsThanThereMayBe) {
  HubConfig config = unordered();
  config.limits.publication_count_max = 2;
  World world(std::move(config));
  Client& alice = world.connect("alice");
  alice.send_passing(preface("chat", 1), 0, {"a"});
  alice.send_passing(preface("chat", 2), 1, {"b"});
  world.settle();
  EXPECT_FALSE(alice.closed_by_hub);

  alice.send_passing(preface("chat", 3), 2, {"c"});
  world.settle();

  ASSERT_TRUE(alice.closed_by_hub);
  EXPECT_EQ(alice.closed_by_hub->code, ErrorCode::kLimitExceeded);
}

// spec: PUBLISH-9
TEST(Unordered, AHandlerIsGivenAProducersMessagesInOrderOrNotAtAll) {
  World world(unordered());
  world.hub.handle_channel(channel("chat"), 0);
  Client& alice = world.connect("alice");
  alice.open_publication(preface());

  alice.send_passing(preface(), 0, {"a"});
  world.settle();

  ASSERT_EQ(alice.rejects.size(), 1U);
  EXPECT_EQ(alice.rejects[0].code, ErrorCode::kModeUnsupported);
}

// spec: STREAM-11, SUBSCRIBE-8
TEST(Unordered, ASubscriberIsGivenOneStreamForWhatFitsIntoAPacket) {
  World world(unordered());
  Client& alice = world.connect("alice");
  alice.open_publication(preface());
  alice.send_passing(preface(), 0, std::vector<std::string>(20, std::string(100, 'x')));
  world.settle();
  Client& bob = world.connect("bob");
  std::size_t runs = 0;
  bob.on_messages = [&](const session::DeliveryMessages& messages) {
    EXPECT_NE(messages.passing, nullptr);
    EXPECT_LE(messages.frames.size(), Delivery::kPassingBytes);
    ++runs;
  };

  bob.subscribe("chat", StartPosition::start());
  world.settle();

  EXPECT_EQ(bob.received.size(), 20U);
  EXPECT_EQ(runs, 3U) << "103 bytes each, and 1,024 of them together";
}

// spec: SUBSCRIBE-4, SUBSCRIBE-8
TEST(Unordered, WhatIsNoLongerKeptIsAGap) {
  World world(unordered({.count = 1}));
  Client& alice = world.connect("alice");
  alice.open_publication(preface());
  alice.send_passing(preface(), 7, {"a"});
  alice.send_passing(preface(), 3, {"b"});
  world.settle();
  Client& bob = world.connect("bob");

  bob.subscribe("chat", StartPosition::at(Offset(0)));
  world.settle();

  EXPECT_THAT(bob.gaps, ElementsAre(Missed{"chat", 0, 1, GapReason::kRetention}));
  EXPECT_THAT(bob.texts(), ElementsAre("b"));
}

}  // namespace
}  // namespace orzatty::hub::test
