#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/hub_for_test.h"

namespace orzatty::hub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// spec: PUBLISH-6, SUBSCRIBE-7
TEST(Publish, OfThreeInterleavedPublishersIsTheSameOrderForAllSubscribersWithTheirIdentities) {
  World world;
  Client& bob = world.connect("bob");
  Client& carol = world.connect("carol");
  bob.subscribe("news");
  carol.subscribe("*");
  std::vector<std::pair<Client*, StreamKey>> publishers;
  for (const char* name : {"ann", "ben", "cid"}) {
    Client& client = world.connect(name);
    publishers.emplace_back(&client, client.open_publication("news"));
  }

  for (int i = 0; i < 30; ++i) {
    auto& [client, stream] = publishers[static_cast<std::size_t>(i * i + i / 4) % 3];
    client->send(stream, std::to_string(i));
    if (i % 2 == 0) world.run();
  }
  world.run();

  ASSERT_EQ(bob.received.size(), 30U);
  EXPECT_EQ(bob.received, carol.received);
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(bob.received[i].offset, i);
  for (const Delivered& delivered : bob.received) {
    const int number = std::stoi(delivered.text);
    const char* const names[] = {"ann", "ben", "cid"};
    EXPECT_EQ(delivered.publisher, names[(number * number + number / 4) % 3]);
  }
}

// spec: PUBLISH-7
TEST(Publish, IsAnsweredAtOnceByTheSequenceThatIsExpected) {
  World world;
  Client& alice = world.connect("alice");
  alice.open_publication("news", 40);
  world.settle();

  ASSERT_EQ(alice.acks.size(), 1U);
  EXPECT_EQ(alice.acks[0].first, Sequence(40));
  EXPECT_EQ(alice.acks[0].count, 0U);
}

// spec: PUBLISH-4
TEST(Publish, IsAcknowledgedWithTheOffsetsThatTheMessagesHave) {
  World world;
  ASSERT_EQ(world.publish("news", "before"), ErrorCode::kNone);
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");

  alice.send_run(stream, {"0", "1"});
  world.run();
  ASSERT_EQ(world.publish("news", "between"), ErrorCode::kNone);
  alice.send(stream, "2");
  world.settle();

  EXPECT_THAT(alice.acknowledged(), ElementsAre(Pair(0, Pair(1, false)), Pair(1, Pair(2, false)),
                                                Pair(2, Pair(4, false))));
}

// spec: PUBLISH-1, PUBLISH-2, PUBLISH-7
TEST(Retry, IsAcknowledgedAsADuplicateAtTheSameOffsetsAndOnlyTheRestIsStored) {
  World world;
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  alice.send_run(stream, {"0", "1"});
  world.run();
  ASSERT_EQ(world.publish("news", "between"), ErrorCode::kNone);
  alice.send(stream, "2");
  world.run();
  world.cut(alice);

  Client& again = world.connect("alice");
  const StreamKey retry = again.open_publication("news", 1);
  again.send_run(retry, {"1", "2", "3"});
  world.settle();

  EXPECT_EQ(again.acks[0].first, Sequence(3));
  EXPECT_EQ(again.acks[0].count, 0U);
  EXPECT_THAT(again.acknowledged(),
              ElementsAre(Pair(1, Pair(1, true)), Pair(2, Pair(3, true)), Pair(3, Pair(4, false))));
  EXPECT_THAT(bob.texts(), ElementsAre("0", "1", "between", "2", "3"));
  EXPECT_EQ(world.hub.counters().duplicates, 2U);
}

// spec: PUBLISH-2
TEST(Retry, OfWhatIsNoLongerKeptIsStillADuplicate) {
  World world(config_of({.retention = {.count = 1, .bytes = 0}, .slow_policy = SlowPolicy::kWait}));
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  for (const char* text : {"0", "1", "2"}) {
    alice.send(stream, text);
    world.pass(1s);
  }
  world.cut(alice);

  Client& again = world.connect("alice");
  again.send_run(again.open_publication("news"), {"0", "1", "2"});
  world.settle();

  EXPECT_EQ(again.acknowledged().size(), 3U);
  const auto forgotten = [](const wire::AckRun& run) { return run.count > 0 && run.forgotten; };
  ASSERT_EQ(std::ranges::count_if(again.acks, forgotten), 1);
  const wire::AckRun run = *std::ranges::find_if(again.acks, forgotten);
  EXPECT_EQ(run, (wire::AckRun{.publication = run.publication,
                               .first = Sequence(0),
                               .count = 2,
                               .first_offset = Offset(0),
                               .duplicate = true,
                               .forgotten = true}));
  EXPECT_EQ(again.acknowledged().at(2), std::pair(std::uint64_t{2}, true));
  EXPECT_EQ(world.hub.counters().duplicates, 3U);
}

// Requests that nobody could answer are rejected, and what is between them is stored, and let go of.
// spec: PUBLISH-5
TEST(Retry, OfAMessageWhoseRefusalWasForgottenIsNeverAnsweredAsAccepted) {
  World world(config_of({.retention = {.count = 1, .bytes = 0}, .slow_policy = SlowPolicy::kWait}));
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  for (std::size_t i = 0; i <= Refusals::kCountMax; ++i) {
    alice.send(stream, "stored");
    alice.send(stream, "rejected", {.correlation = CorrelationId{}, .wants_reply = true});
    world.run();
  }
  ASSERT_EQ(alice.rejects.size(), Refusals::kCountMax + 1);
  world.cut(alice);

  Client& again = world.connect("alice");
  again.send_run(again.open_publication("news"), {"0", "1", "2", "3"});
  world.settle();

  ASSERT_EQ(again.rejects.size(), 2U);
  EXPECT_EQ(again.rejects[0].code, ErrorCode::kFateForgotten);
  EXPECT_EQ(std::pair(again.rejects[0].from, again.rejects[0].to),
            std::pair(Sequence(0), Sequence(2)));
  EXPECT_EQ(again.rejects[1].code, ErrorCode::kNoResponder);
  EXPECT_EQ(again.rejects[1].from, Sequence(3));
  EXPECT_THAT(again.acknowledged(), ElementsAre(Pair(2, Pair(0, true))));
}

TEST(Retry, OfAnotherIdentityWithTheSameProducerIdIsNoRetry) {
  World world;
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  Client& alice = world.connect("alice");
  Client& mallory = world.connect("mallory");

  alice.send(alice.open_publication("news", 0, 1), "alice's");
  mallory.send(mallory.open_publication("news", 0, 1, 99), "mallory's");
  world.run();
  alice.send(alice.open_publication("news", 1, 1), "alice's too");
  world.run();

  EXPECT_THAT(bob.texts(), ElementsAre("alice's", "mallory's", "alice's too"));
  EXPECT_FALSE(alice.closed_by_hub);
}

TEST(Retry, OfAProducerThatTheChannelDoesNotKnowIsTakenAtItsWord) {
  World world;
  Client& alice = world.connect("alice");
  alice.send(alice.open_publication("news", 1000), "after a restart of the server");
  world.settle();

  EXPECT_THAT(alice.acknowledged(), ElementsAre(Pair(1000, Pair(0, false))));
}

// spec: STREAM-5, PUBLISH-1
TEST(Publish, ThatLeavesOutSequencesOfAKnownProducerClosesTheSession) {
  World world;
  Client& alice = world.connect("alice");
  alice.send(alice.open_publication("news"), "0");
  world.run();

  alice.open_publication("news", 2);
  world.run();

  ASSERT_TRUE(alice.closed_by_hub);
  EXPECT_EQ(alice.closed_by_hub->code, ErrorCode::kSequenceInvalid);
}

// spec: PUBLISH-1
TEST(Skip, MovesTheSequenceThatIsExpected) {
  World world;
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  alice.send(stream, "0");
  alice.skip(stream, 5);
  alice.send(stream, "5");
  world.settle();
  EXPECT_THAT(alice.acknowledged(), ElementsAre(Pair(0, Pair(0, false)), Pair(5, Pair(1, false))));

  Client& again = world.connect("alice");
  again.open_publication("news", 6);
  world.settle();

  EXPECT_EQ(again.acks[0].first, Sequence(6));
  EXPECT_FALSE(again.closed_by_hub);
}

// spec: PUBLISH-3
TEST(Fence, ANewerEpochShutsOutTheOlderOneAndAnOlderOneThatComesIsRefused) {
  World world;
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  Client& older = world.connect("alice");
  const StreamKey stream = older.open_publication("news", 0, 1, 7);
  older.send(stream, "of epoch 7");
  world.run();

  Client& newer = world.connect("alice");
  newer.send(newer.open_publication("news", 0, 1, 8), "of epoch 8");
  world.run();
  older.send(stream, "too late");
  world.run();
  Client& oldest = world.connect("alice");
  oldest.send(oldest.open_publication("news", 1, 1, 7), "refused");
  world.run();

  EXPECT_FALSE(older.closed_by_hub);
  ASSERT_EQ(older.rejects.size(), 1U);
  EXPECT_EQ(older.rejects[0].code, ErrorCode::kFenced);
  EXPECT_EQ(older.rejects[0].from, Sequence(1));
  ASSERT_TRUE(oldest.closed_by_hub);
  EXPECT_EQ(oldest.closed_by_hub->code, ErrorCode::kFenced);
  EXPECT_FALSE(newer.closed_by_hub);
  EXPECT_THAT(bob.texts(), ElementsAre("of epoch 7", "of epoch 8"));
}

// spec: PUBLISH-3
TEST(Fence, ANewerEpochInTheSameSessionShutsOutItsOlderPublication) {
  World world;
  Client& alice = world.connect("alice");
  const StreamKey older = alice.open_publication("news", 0, 1, 1);
  world.run();
  alice.open_publication("news", 0, 1, 2);
  world.run();
  ASSERT_FALSE(alice.closed_by_hub);

  alice.send(older, "too late");
  world.run();

  EXPECT_FALSE(alice.closed_by_hub);
  ASSERT_EQ(alice.rejects.size(), 1U);
  EXPECT_EQ(alice.rejects[0].code, ErrorCode::kFenced);
}

// spec: PUBLISH-8
TEST(Fence, WhatTheOlderEpochSkipsIsAnsweredSoThatItsOutboxGoesOn) {
  World world;
  Client& older = world.connect("alice");
  const StreamKey stream = older.open_publication("news", 0, 1, 7);
  Client& newer = world.connect("alice");
  newer.open_publication("news", 0, 1, 8);
  world.run();

  older.skip(stream, 5);
  older.send(stream, "too late");
  world.settle();

  ASSERT_FALSE(older.acks.empty());
  EXPECT_EQ(older.acks.back().count, 0U);
  EXPECT_EQ(older.acks.back().first, Sequence(5));
  ASSERT_EQ(older.rejects.size(), 1U);
  EXPECT_EQ(older.rejects[0].code, ErrorCode::kFenced);
}

// spec: NAME-3, PUBLISH-5
TEST(Publish, ToAReservedNameIsRejectedMessageByMessage) {
  World world;
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("$sys.stats", 3);

  alice.send_run(stream, {"a", "b"});
  world.settle();

  ASSERT_EQ(alice.rejects.size(), 1U);
  EXPECT_EQ(alice.rejects[0].from, Sequence(3));
  EXPECT_EQ(alice.rejects[0].to, Sequence(5));
  EXPECT_EQ(alice.rejects[0].code, ErrorCode::kNotAuthorised);
  EXPECT_THAT(alice.acknowledged(), IsEmpty());
  EXPECT_FALSE(alice.closed_by_hub);
  EXPECT_EQ(world.hub.counters().channels, 0U);
}

// spec: PUBLISH-9
TEST(Publish, InAModeThatIsNotTheChannelsIsRejectedMessageByMessage) {
  World world;
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication({.publication = PublicationId(1),
                                                   .producer = producer_id(1),
                                                   .epoch = {},
                                                   .next = {},
                                                   .channel = channel("chat"),
                                                   .mode = DeliveryMode::kUnordered});

  alice.send_run(stream, {"a", "b"});
  world.settle();

  ASSERT_EQ(alice.rejects.size(), 1U);
  EXPECT_EQ(alice.rejects[0].to, Sequence(2));
  EXPECT_EQ(alice.rejects[0].code, ErrorCode::kModeUnsupported);
  EXPECT_FALSE(alice.closed_by_hub);
}

TEST(Publish, ToAChannelThatThereIsNoRoomForIsRejectedWithChannelLimit) {
  Limits limits;
  limits.channel_count_max = 1;
  World world(config_of({}, limits));
  Client& alice = world.connect("alice");

  alice.send(alice.open_publication("a"), "stored");
  alice.send(alice.open_publication("b"), "not stored");
  world.settle();

  EXPECT_THAT(alice.acknowledged(1), ElementsAre(Pair(0, Pair(0, false))));
  ASSERT_EQ(alice.rejects.size(), 1U);
  EXPECT_EQ(alice.rejects[0].publication, PublicationId(2));
  EXPECT_EQ(alice.rejects[0].code, ErrorCode::kChannelLimit);
}

TEST(Publish, AndSubscribeToANameBeyondTheLimitIsRefusedWithNameInvalid) {
  Limits limits;
  limits.channel_name_size_max = 5;
  World world(config_of({}, limits));
  Client& alice = world.connect("alice");

  for (const char* name : {"fives", "sixsix"}) {
    alice.send(alice.open_publication(name), "x");
    alice.subscribe(name, StartPosition::start());
  }
  world.settle();

  EXPECT_EQ(alice.acknowledged(1).size(), 1U);
  EXPECT_EQ(alice.texts().size(), 1U);
  ASSERT_EQ(alice.rejects.size(), 1U);
  EXPECT_EQ(alice.rejects[0].publication, PublicationId(2));
  EXPECT_EQ(alice.rejects[0].code, ErrorCode::kNameInvalid);
  ASSERT_EQ(alice.ended.size(), 1U);
  EXPECT_EQ(alice.ended[0].code, ErrorCode::kNameInvalid);
  EXPECT_EQ(world.publish("fives", "x"), ErrorCode::kNone);
  EXPECT_EQ(world.publish("sixsix", "x"), ErrorCode::kNameInvalid);
}

// spec: PUBLISH-4, PUBLISH-5
TEST(Publish, ThatThereIsNoMemoryForIsRejectedAndStaysRejectedWhenItIsRepeated) {
  Limits limits;
  limits.hub_size_max = 200 * 1024;
  World world(
      config_of({.retention = {.count = 0, .bytes = 0}, .slow_policy = SlowPolicy::kWait}, limits));
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  const std::string large(50'000, 'x');
  for (int i = 0; i < 10; ++i) alice.send(stream, large);
  alice.send(stream, "small");
  world.settle();
  const std::size_t stored = alice.acknowledged().size();
  ASSERT_GT(stored, 1U);
  ASSERT_FALSE(alice.rejects.empty());
  EXPECT_EQ(alice.rejects[0].code, ErrorCode::kOverloaded);
  const std::uint64_t rejected = alice.rejects[0].from.value();
  EXPECT_TRUE(alice.acknowledged().contains(10)) << "a small one fits";

  Client& again = world.connect("alice");
  const StreamKey retry = again.open_publication("news", rejected);
  again.send(retry, large);
  world.settle();

  EXPECT_FALSE(again.acknowledged().contains(rejected));
  ASSERT_EQ(again.rejects.size(), 1U);
  EXPECT_EQ(again.rejects[0].from, Sequence(rejected));
}

// Nothing of the producer is in the log to tell it by.
// spec: PUBLISH-2, PUBLISH-5, PUBLISH-7
TEST(Publish, ThatWasRejectedFirstOfAllIsRejectedAgainAfterAReconnect) {
  Limits limits;
  limits.hub_size_max = 200 * 1024;
  World world(
      config_of({.retention = {.count = 0, .bytes = 0}, .slow_policy = SlowPolicy::kWait}, limits));
  const std::string large(50'000, 'x');
  while (world.publish("other", large) == ErrorCode::kNone) continue;
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  alice.send(stream, large);
  alice.send(stream, "small");
  world.settle();
  ASSERT_EQ(alice.rejects.size(), 1U);
  ASSERT_EQ(alice.acknowledged().size(), 1U);
  world.cut(alice);

  Client& again = world.connect("alice");
  const StreamKey retry = again.open_publication("news");
  again.send(retry, large);
  again.send(retry, "small");
  world.settle();

  EXPECT_EQ(again.acks[0].first, Sequence(2)) << "both came before";
  ASSERT_EQ(again.rejects.size(), 1U);
  EXPECT_EQ(again.rejects[0].from, Sequence(0));
  EXPECT_EQ(again.rejects[0].to, Sequence(1));
  EXPECT_EQ(again.rejects[0].code, ErrorCode::kOverloaded);
  EXPECT_THAT(again.acknowledged(), ElementsAre(Pair(1, Pair(0, true))));
}

// spec: PUBLISH-2, PUBLISH-5
TEST(Publish, ThatWasRejectedIsNeverStoredLaterWhenThereIsRoomAgain) {
  Limits limits;
  limits.hub_size_max = 200 * 1024;
  World world(
      config_of({.retention = {.count = 3, .bytes = 0}, .slow_policy = SlowPolicy::kWait}, limits));
  const std::string large(90'000, 'x');
  Client& bob = world.connect("bob");
  const SubscriptionId sleeping = bob.subscribe("other");
  world.run();
  bob.stop_reading();
  while (world.publish("other", large) == ErrorCode::kNone) world.pass(1s);
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  alice.send(stream, large);
  world.settle();
  ASSERT_EQ(alice.rejects.size(), 1U);
  world.cut(alice);

  // Whatever it was that filled the memory is gone.
  bob.unsubscribe(sleeping);
  bob.go_on_reading(world.now);
  world.run();
  for (int i = 0; i < 10; ++i) {
    world.pass(1s);
    static_cast<void>(world.publish("other", "small"));
  }
  Client& carol = world.connect("carol");
  carol.subscribe("news", StartPosition::start());
  Client& again = world.connect("alice");
  const StreamKey retry = again.open_publication("news");
  again.send(retry, large);
  again.send(retry, "new");
  world.settle();

  ASSERT_EQ(again.rejects.size(), 1U);
  EXPECT_EQ(again.rejects[0].from, Sequence(0));
  EXPECT_THAT(again.acknowledged(), ElementsAre(Pair(1, Pair(0, false))));
  EXPECT_THAT(carol.texts(), ElementsAre("new"));
}

// spec: PUBLISH-2, PUBLISH-5, PUBLISH-7
TEST(Publish, ThatWasRejectedForWantOfAChannelIsNeverStoredWhenThereIsOne) {
  Limits limits;
  limits.channel_count_max = 1;
  World world(config_of({}, limits));
  Client& bob = world.connect("bob");
  const SubscriptionId occupant = bob.subscribe("a");
  world.run();
  Client& alice = world.connect("alice");
  alice.send_run(alice.open_publication("b"), {"0", "1"});
  world.settle();
  ASSERT_EQ(alice.rejects.size(), 1U);
  world.cut(alice);

  bob.unsubscribe(occupant);
  bob.subscribe("b");
  world.run();
  Client& again = world.connect("alice");
  again.send_run(again.open_publication("b"), {"0", "1", "2"});
  world.settle();

  EXPECT_EQ(again.acks[0].first, Sequence(2));
  ASSERT_EQ(again.rejects.size(), 1U);
  EXPECT_EQ(again.rejects[0].from, Sequence(0));
  EXPECT_EQ(again.rejects[0].to, Sequence(2));
  EXPECT_EQ(again.rejects[0].code, ErrorCode::kChannelLimit);
  EXPECT_THAT(bob.texts(), ElementsAre("2"));
}

// spec: PUBLISH-1
TEST(Publish, MayGoOnWhereItWasAfterThereWasAChannelForAWhile) {
  Limits limits;
  limits.channel_count_max = 1;
  World world(config_of(
      {.retention = {.count = 0, .bytes = 0, .age = 1s}, .slow_policy = SlowPolicy::kWait},
      limits));
  const auto send_as_alice = [&](std::uint64_t next) {
    Client& alice = world.connect("alice");
    alice.send(alice.open_publication("b", next), std::to_string(next));
    world.settle();
    EXPECT_FALSE(alice.closed_by_hub);
    const bool accepted = alice.acknowledged().contains(next);
    world.cut(alice);
    return accepted;
  };
  Client& bob = world.connect("bob");
  const SubscriptionId occupant = bob.subscribe("a");
  world.run();

  EXPECT_FALSE(send_as_alice(0));
  bob.unsubscribe(occupant);
  world.run();
  EXPECT_TRUE(send_as_alice(1));
  EXPECT_TRUE(send_as_alice(2));
  world.pass(2s);
  world.pass(61s);
  Client& carol = world.connect("carol");
  carol.subscribe("a");
  world.run();
  EXPECT_FALSE(send_as_alice(3));
}

// spec: STREAM-7
TEST(Publish, TwiceWithTheSamePublicationClosesTheSession) {
  World world;
  Client& alice = world.connect("alice");
  for (int i = 0; i < 2; ++i) {
    alice.open_publication({.publication = PublicationId(1),
                            .producer = producer_id(1),
                            .epoch = {},
                            .next = {},
                            .channel = channel("news")});
  }
  world.run();

  ASSERT_TRUE(alice.closed_by_hub);
  EXPECT_EQ(alice.closed_by_hub->code, ErrorCode::kFrameUnexpected);
}

// spec: STREAM-7
TEST(Publish, MayUseTheIdOfAPublicationWhoseStreamHasEnded) {
  World world;
  Client& alice = world.connect("alice");
  const auto publish = [&](std::string_view name) {
    const StreamKey stream = alice.open_publication({.publication = PublicationId(1),
                                                     .producer = producer_id(1),
                                                     .epoch = {},
                                                     .next = {},
                                                     .channel = channel(name)});
    alice.send(stream, "x");
    alice.finish(stream);
    world.run();
  };

  publish("a");
  publish("b");
  world.settle();

  EXPECT_FALSE(alice.closed_by_hub);
  // What was expected, and what was accepted, of each.
  ASSERT_EQ(alice.acks.size(), 4U);
  EXPECT_EQ(alice.acks[1].count, 1U);
  EXPECT_EQ(alice.acks[3].count, 1U);
}

// spec: STREAM-9
TEST(Publish, OnOneStreamMoreThanTheLimitClosesTheSession) {
  Limits limits;
  limits.publication_count_max = 2;
  World world(config_of({}, limits));
  Client& alice = world.connect("alice");
  ASSERT_EQ(alice.welcome->publication_count_max, 2U);
  const StreamKey first = alice.open_publication("a");
  alice.open_publication("b");
  world.run();
  alice.finish(first);  // its place is free again
  world.run();
  alice.open_publication("c");
  world.run();
  ASSERT_FALSE(alice.closed_by_hub);

  alice.open_publication("d");
  world.run();

  ASSERT_TRUE(alice.closed_by_hub);
  EXPECT_EQ(alice.closed_by_hub->code, ErrorCode::kLimitExceeded);
}

// spec: CREDIT-2
TEST(Publish, GetsItsCreditBackAtOnceWhenNobodyIsWaitedFor) {
  World world({}, 64 * 1024);
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  const std::string large(10'000, 'x');
  for (int i = 0; i < 50; ++i) alice.send(stream, large);
  world.settle();

  EXPECT_EQ(alice.acknowledged().size(), 50U);
  EXPECT_EQ(alice.up.credit_left(stream), 64U * 1024U);
}

// ---- Endpoints and direct messages.

// spec: PUBLISH-4
TEST(Endpoint, GivesMessagesToItsHandlerAndAcknowledgesThem) {
  World world;
  world.hub.handle_channel(channel("rpc"), 3);
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  bob.subscribe("rpc");
  alice.send_run(alice.open_publication("rpc"), {"a", "b"});
  world.settle();

  EXPECT_THAT(world.handled,
              ElementsAre(Delivered{"rpc", "alice", "a", 0}, Delivered{"rpc", "alice", "b", 1}));
  EXPECT_THAT(alice.acknowledged(), ElementsAre(Pair(0, Pair(0, false)), Pair(1, Pair(1, false))));
  EXPECT_THAT(bob.received, IsEmpty()) << "an endpoint is no hub channel";
  EXPECT_THAT(bob.ended, IsEmpty());
}

TEST(Endpoint, HasItsMessagesCountedSoThatTheLedgerOfPublishersBalances) {
  World world(config_of({}));
  world.hub.handle_channel(channel("rpc"), 0);
  Client& alice = world.connect("alice");
  alice.send_run(alice.open_publication("rpc"), {"a", "b"});
  alice.send(alice.open_publication("news", 0, 2), "stored");
  alice.send(alice.open_publication("$sys", 0, 3), "rejected");
  world.settle();

  const HubCounters& counters = world.hub.counters();
  EXPECT_EQ(counters.handed_over, 2U);
  EXPECT_EQ(counters.messages_in, counters.traffic[0].accepted + counters.duplicates +
                                      counters.rejected + counters.handed_over);
}

// spec: PUBLISH-2
TEST(Endpoint, IsNotGivenARepeatedMessageAgain) {
  World world;
  world.hub.handle_channel(channel("rpc"), 0);
  Client& alice = world.connect("alice");
  alice.send_run(alice.open_publication("rpc"), {"a", "b"});
  world.run();
  world.cut(alice);

  Client& again = world.connect("alice");
  again.send_run(again.open_publication("rpc"), {"a", "b", "c"});
  world.settle();

  EXPECT_EQ(world.handled.size(), 3U);
  EXPECT_EQ(world.handled[2].text, "c");
  EXPECT_THAT(again.acknowledged(),
              ElementsAre(Pair(0, Pair(0, true)), Pair(1, Pair(1, true)), Pair(2, Pair(2, false))));
}

TEST(Direct, MessagesReachTheirPeerAloneInOrder) {
  World world;
  world.hub.handle_channel(channel("echo"), 0);
  world.echoes = true;
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  bob.subscribe("echo");
  const StreamKey stream = alice.open_publication("echo");

  alice.send_run(stream, {"a", "b"});
  world.run();
  alice.send(stream, "c");
  world.run();

  EXPECT_THAT(alice.direct,
              ElementsAre(Delivered{"echo", "", "a", 0}, Delivered{"echo", "", "b", 1},
                          Delivered{"echo", "", "c", 2}));
  EXPECT_THAT(bob.direct, IsEmpty());
  EXPECT_THAT(bob.received, IsEmpty());
}

TEST(Direct, OverloadedWhenThePeerDoesNotReadAndTakenAgainWhenItDoes) {
  Limits limits;
  limits.message_size_max = limits.outbox_size_max = 256 * 1024;
  World world(config_of({}, limits), 64 * 1024);
  Client& alice = world.connect("alice");
  const std::string large(10'000, 'x');
  int taken = 0;
  while (world.hub.send_direct(alice.peer, channel("a"), MessageType::kRaw, bytes_of(large)) ==
         ErrorCode::kNone) {
    ++taken;
  }
  EXPECT_GT(taken, 20);
  EXPECT_LT(taken, 40);

  world.drain_hub();
  world.run();

  EXPECT_EQ(alice.direct.size(), static_cast<std::size_t>(taken));
  EXPECT_EQ(world.hub.send_direct(alice.peer, channel("a"), MessageType::kRaw, bytes_of(large)),
            ErrorCode::kNone);
}

TEST(Direct, ToSomebodyWhoIsGoneOrNotYetAdmittedIsRefused) {
  World world;
  Client& alice = world.connect("alice");
  const PeerKey stranger = world.hub.open_peer(world.now);
  const BytesView payload = bytes_of("hello");
  world.cut(alice);
  world.pass(world.limits.session_retention);

  EXPECT_EQ(world.hub.send_direct(alice.peer, channel("a"), MessageType::kRaw, payload),
            ErrorCode::kClosedByUser);
  EXPECT_EQ(world.hub.send_direct(stranger, channel("a"), MessageType::kRaw, payload),
            ErrorCode::kClosedByUser);
}

TEST(Direct, AboveTheLimitsIsRefused) {
  Limits limits;
  limits.message_size_max = 100;
  limits.subscription_count_max = 1;
  World world(config_of({}, limits));
  Client& alice = world.connect("alice");
  const auto send = [&](std::string_view name, std::size_t size) {
    return world.hub.send_direct(alice.peer, channel(name), MessageType::kRaw, Bytes(size));
  };

  EXPECT_EQ(send("a", 101), ErrorCode::kMessageTooLarge);
  EXPECT_EQ(send("a", 100), ErrorCode::kNone);
  EXPECT_EQ(send("b", 1), ErrorCode::kChannelLimit);
}

TEST(ServersOwn, MessageAboveTheLimitIsRefused) {
  Limits limits;
  limits.message_size_max = 100;
  World world(config_of({}, limits));

  EXPECT_EQ(world.publish("a", std::string(101, 'x')), ErrorCode::kMessageTooLarge);
  EXPECT_EQ(world.publish("a", std::string(100, 'x')), ErrorCode::kNone);
}

// One of them would end the session of everybody who receives it. spec: FRAME-3
TEST(ServersOwn, TextThatIsNotUtf8IsRefused) {
  World world;
  Client& alice = world.connect("alice");
  const std::string_view bad = "\xc3";
  const std::string_view good = "\xc3\xa4";
  const auto publish = [&](std::string_view text, MessageType type) {
    return world.hub.publish(channel("a"), type, bytes_of(text), world.now);
  };
  const auto send = [&](std::string_view text, MessageType type) {
    return world.hub.send_direct(alice.peer, channel("a"), type, bytes_of(text));
  };

  EXPECT_EQ(publish(bad, MessageType::kText), ErrorCode::kTextInvalid);
  EXPECT_EQ(send(bad, MessageType::kText), ErrorCode::kTextInvalid);
  EXPECT_EQ(publish(good, MessageType::kText), ErrorCode::kNone);
  EXPECT_EQ(send(good, MessageType::kText), ErrorCode::kNone);
  EXPECT_EQ(publish(bad, MessageType::kRaw), ErrorCode::kNone);
  EXPECT_EQ(send(bad, MessageType::kRaw), ErrorCode::kNone);
}

}  // namespace
}  // namespace orzatty::hub::test
