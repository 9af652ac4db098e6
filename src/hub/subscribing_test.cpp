#include "hub/subscribing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/hub_for_test.h"

namespace orzatty::hub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Texts = std::vector<std::string>;

// Five messages, "0" to "4", are there before anybody subscribes.
struct StartCase {
  std::string_view what;
  StartPosition start;
  Texts expected;  // with "5", which comes afterwards
};

TEST(Start, IsWhereTheSubscriptionAsksForIt) {
  const std::vector<StartCase> cases{
      {"live", StartPosition::live(), {"5"}},
      {"latest", StartPosition::latest(), {"4", "5"}},
      {"last 0", StartPosition::last(0), {"5"}},
      {"last 2", StartPosition::last(2), {"3", "4", "5"}},
      {"last 5", StartPosition::last(5), {"0", "1", "2", "3", "4", "5"}},
      {"last 6", StartPosition::last(6), {"0", "1", "2", "3", "4", "5"}},
      {"offset 0", StartPosition::at(Offset(0)), {"0", "1", "2", "3", "4", "5"}},
      {"offset 3", StartPosition::at(Offset(3)), {"3", "4", "5"}},
      {"the end", StartPosition::at(Offset(5)), {"5"}},
      {"start", StartPosition::start(), {"0", "1", "2", "3", "4", "5"}},
  };
  for (const StartCase& expectation : cases) {
    SCOPED_TRACE(expectation.what);
    World world;
    Client& alice = world.connect("alice");
    const StreamKey stream = alice.open_publication("news");
    alice.send_run(stream, {"0", "1", "2"});  // one run, so that positions lie inside of it
    alice.send_run(stream, {"3", "4"});
    world.run();

    Client& bob = world.connect("bob");
    bob.subscribe("news", expectation.start);
    world.run();
    alice.send(stream, "5");
    world.run();

    EXPECT_EQ(bob.texts(), expectation.expected);
    EXPECT_THAT(bob.gaps, IsEmpty());
  }
}

// spec: SUBSCRIBE-1
TEST(Start, BeyondTheEndEndsTheSubscriptionWithStartUnavailable) {
  World world;
  ASSERT_EQ(world.publish("news", "0"), ErrorCode::kNone);
  Client& bob = world.connect("bob");

  bob.subscribe("news", StartPosition::at(Offset(1)));
  bob.subscribe("news", StartPosition::at(Offset(2)));
  world.run();

  EXPECT_THAT(bob.subscribed, ElementsAre(SubscriptionId(1)));
  ASSERT_EQ(bob.ended.size(), 1U);
  EXPECT_EQ(bob.ended[0].subscription, SubscriptionId(2));
  EXPECT_EQ(bob.ended[0].code, ErrorCode::kStartUnavailable);
}

TEST(Start, BeyondTheEndOfAChannelThatAWildcardMatchesIsItsEnd) {
  World world;
  ASSERT_EQ(world.publish("news.a", "a0"), ErrorCode::kNone);
  ASSERT_EQ(world.publish("news.b", "b0"), ErrorCode::kNone);
  ASSERT_EQ(world.publish("news.b", "b1"), ErrorCode::kNone);
  Client& bob = world.connect("bob");

  bob.subscribe("news.*", StartPosition::at(Offset(2)));
  world.run();
  ASSERT_EQ(world.publish("news.a", "a1"), ErrorCode::kNone);
  ASSERT_EQ(world.publish("news.b", "b2"), ErrorCode::kNone);
  world.run();

  EXPECT_THAT(bob.texts(), ElementsAre("a1", "b2"));
}

TEST(Subscription, OfAChannelThatDoesNotExistSeesItsFirstMessage) {
  World world;
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  world.run();

  ASSERT_EQ(world.publish("news", "0"), ErrorCode::kNone);
  world.run();

  EXPECT_THAT(bob.received, ElementsAre(Delivered{"news", "$server", "0", 0}));
}

// spec: SUBSCRIBE-2
TEST(Subscription, IsToldTheChannelItsEpochAndItsStartEvenIfNothingComes) {
  World world;
  ASSERT_EQ(world.publish("news", "0"), ErrorCode::kNone);
  Client& bob = world.connect("bob");
  Client& carol = world.connect("carol");

  bob.subscribe("news");
  carol.subscribe("news", StartPosition::start());
  world.run();

  const wire::Alias& told = bob.subscriptions[1].channels.at(0);
  EXPECT_EQ(told.channel.text(), "news");
  EXPECT_EQ(told.next, Offset(1));
  EXPECT_EQ(carol.subscriptions[1].channels.at(0).next, Offset(0));
  EXPECT_EQ(carol.subscriptions[1].channels.at(0).epoch, told.epoch);
}

// spec: SUBSCRIBE-1, SUBSCRIBE-2
TEST(Subscription, IsToldInHowManyChannelsItBeginsAndAllOfThemBeforeAnyMessage) {
  World world;
  for (int i = 0; i < 3; ++i) {
    for (const std::string_view name : {"news.a", "news.b", "news.c"}) {
      ASSERT_EQ(world.publish(name, std::string(1000, 'x')), ErrorCode::kNone);
    }
  }
  Client& bob = world.connect("bob");

  const SubscriptionId all = bob.subscribe("news.*", StartPosition::start());
  const SubscriptionId one = bob.subscribe("news.a", StartPosition::live());
  const SubscriptionId none = bob.subscribe("sport.*", StartPosition::start());
  world.run();

  EXPECT_EQ(bob.begins_in[all.value()], 3U);
  EXPECT_EQ(bob.begins_in[one.value()], 1U);
  EXPECT_EQ(bob.begins_in[none.value()], 0U);
  EXPECT_EQ(bob.received_count, 9U);
  EXPECT_EQ(bob.introduced_before["news.b"], 0U);
  EXPECT_EQ(bob.introduced_before["news.c"], 0U);
}

// spec: SUBSCRIBE-4
TEST(Resume, ContinuesAChannelOfTheSameEpochAtItsPosition) {
  World world;
  for (const char* text : {"0", "1", "2"}) ASSERT_EQ(world.publish("news", text), ErrorCode::kNone);
  Client& bob = world.connect("bob");
  bob.subscribe("news", StartPosition::start());
  world.run();
  const ChannelEpoch epoch = bob.subscriptions[1].channels.at(0).epoch;

  Client& again = world.connect("bob");
  again.subscribe("news", StartPosition::live(), {{channel("news"), epoch, Offset(1)}});
  world.run();

  EXPECT_THAT(again.texts(), ElementsAre("1", "2"));
}

// spec: SUBSCRIBE-4
TEST(Resume, FindsAChannelAmongPositionsInAnyOrderAndTakesTheFirstThatNamesIt) {
  World world;
  for (const char* name : {"a", "b", "c"}) {
    for (const char* text : {"0", "1", "2"}) {
      ASSERT_EQ(world.publish(name, std::string(name) + text), ErrorCode::kNone);
    }
  }
  Client& bob = world.connect("bob");
  bob.subscribe("*");
  world.run();
  const auto at = [&](std::uint64_t alias, std::uint64_t next) {
    const wire::Alias& known = bob.subscriptions[1].channels.at(alias);
    return wire::SubscribePosition{
        .channel = known.channel, .epoch = known.epoch, .next = Offset(next)};
  };

  bob.subscribe("*", StartPosition::live(), {at(2, 2), at(0, 1), at(2, 0), at(1, 3)});
  world.run();

  EXPECT_THAT(bob.texts(), UnorderedElementsAre("a1", "a2", "c2"));
}

// spec: SUBSCRIBE-4
TEST(Resume, OfAnotherEpochBeginsAtTheFirstMessageOfTheNewLife) {
  World world;
  for (const char* text : {"0", "1", "2"}) ASSERT_EQ(world.publish("news", text), ErrorCode::kNone);
  Client& bob = world.connect("bob");

  bob.subscribe("news", StartPosition::live(), {{channel("news"), ChannelEpoch(1), Offset(2)}});
  world.run();

  EXPECT_THAT(bob.texts(), ElementsAre("0", "1", "2"));
}

// spec: SUBSCRIBE-4
TEST(Resume, TellsWhatIsNoLongerKeptAsAGapOfRetention) {
  World world(config_of({.retention = {.count = 2, .bytes = 0}, .slow_policy = SlowPolicy::kWait}));
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  ASSERT_EQ(world.publish("news", "0"), ErrorCode::kNone);
  world.run();
  const ChannelEpoch epoch = bob.subscriptions[1].channels.at(0).epoch;
  world.cut(bob);
  for (int i = 1; i < 10; ++i) {
    world.pass(1s);  // a run each
    ASSERT_EQ(world.publish("news", std::to_string(i)), ErrorCode::kNone);
  }

  Client& again = world.connect("bob");
  again.subscribe("news", StartPosition::live(), {{channel("news"), epoch, Offset(3)}});
  world.run();

  EXPECT_THAT(again.gaps, ElementsAre(Missed{"news", 3, 8, GapReason::kRetention}));
  EXPECT_THAT(again.texts(), ElementsAre("8", "9"));
}

// spec: SUBSCRIBE-5
TEST(Wildcard, IsToldOfMatchingChannelsAtOnceAndOfLaterOnesFromTheirFirstMessageOn) {
  World world;
  ASSERT_EQ(world.publish("quotes.old", "before"), ErrorCode::kNone);
  ASSERT_EQ(world.publish("weather", "rain"), ErrorCode::kNone);
  Client& bob = world.connect("bob");
  bob.subscribe("quotes.>", StartPosition::live());
  world.run();
  EXPECT_EQ(bob.subscriptions[1].channels.size(), 1U);

  ASSERT_EQ(world.publish("quotes.old", "after"), ErrorCode::kNone);
  ASSERT_EQ(world.publish("quotes.new.one", "first"), ErrorCode::kNone);
  ASSERT_EQ(world.publish("quotes", "not matched"), ErrorCode::kNone);
  world.run();

  EXPECT_THAT(bob.received, ElementsAre(Delivered{"quotes.old", "$server", "after", 1},
                                        Delivered{"quotes.new.one", "$server", "first", 0}));
}

// spec: NAME-3
TEST(Wildcard, InFirstPlaceDoesNotMatchReservedNames) {
  World world;
  Client& bob = world.connect("bob");
  bob.subscribe(">");
  Client& carol = world.connect("carol");
  carol.subscribe("$sys.*");
  world.run();

  ASSERT_EQ(world.publish("$sys.stats", "1"), ErrorCode::kNone);
  ASSERT_EQ(world.publish("news", "2"), ErrorCode::kNone);
  world.run();

  EXPECT_THAT(bob.texts(), ElementsAre("2"));
  EXPECT_THAT(carol.texts(), ElementsAre("1"));
}

TEST(Wildcard, ChannelsTakeTurnsSoThatABusyOneDoesNotHoldUpAnother) {
  World world;
  const std::string large(20'000, 'x');
  for (int i = 0; i < 20; ++i) {
    world.now += 1s;
    ASSERT_EQ(world.publish("a.busy", large), ErrorCode::kNone);
  }
  ASSERT_EQ(world.publish("a.quiet", "hello"), ErrorCode::kNone);
  Client& bob = world.connect("bob");

  bob.subscribe("a.*", StartPosition::start());
  world.run();

  const auto texts = bob.texts();
  ASSERT_EQ(texts.size(), 21U);
  EXPECT_EQ(texts[1], "hello");
}

// spec: STREAM-7
TEST(Wildcard, ThatMatchesMoreChannelsThanAStreamMayIntroduceEndsWithLimitExceeded) {
  Limits limits;
  limits.subscription_channel_count_max = 2;
  World world(config_of({}, limits));
  ASSERT_EQ(world.publish("a.1", "x"), ErrorCode::kNone);
  ASSERT_EQ(world.publish("a.2", "x"), ErrorCode::kNone);
  Client& bob = world.connect("bob");
  bob.subscribe("a.*", StartPosition::start());
  world.run();
  ASSERT_THAT(bob.ended, IsEmpty());

  ASSERT_EQ(world.publish("a.3", "x"), ErrorCode::kNone);
  bob.subscribe("a.*", StartPosition::start());
  world.run();

  ASSERT_EQ(bob.ended.size(), 2U);
  EXPECT_EQ(bob.ended[0].code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(bob.ended[1].code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(bob.texts().size(), 2U);
  EXPECT_FALSE(bob.closed);
  EXPECT_EQ(world.hub.counters().subscriptions, 0U);
}

// More channels than a turn looks at, one message in each.
void fill(World& world) {
  for (std::size_t i = 0; i < 2 * Subscribing::kTurnWork; ++i) {
    ASSERT_EQ(world.publish("m." + std::to_string(i), "x"), ErrorCode::kNone);
  }
}

// spec: SUBSCRIBE-1
TEST(Wildcard, OfALargeTableIsLookedForInSeveralTurnsAndConfirmedBehindThem) {
  World world;
  fill(world);
  ASSERT_EQ(world.publish("a.match", "1"), ErrorCode::kNone);
  ASSERT_EQ(world.publish("z.match", "2"), ErrorCode::kNone);
  Client& bob = world.connect("bob");

  world.frozen = true;
  bob.subscribe("*.match", StartPosition::start());
  world.run();
  EXPECT_THAT(bob.subscribed, IsEmpty());
  EXPECT_THAT(bob.texts(), ElementsAre("1"));
  world.frozen = false;
  world.run();

  EXPECT_EQ(world.turns, 2U);
  EXPECT_EQ(bob.subscribed.size(), 1U);
  EXPECT_THAT(bob.texts(), ElementsAre("1", "2"));
}

// spec: SUBSCRIBE-5
TEST(Wildcard, FindsOnceWhatBeginsWhileItLooks) {
  World world;
  fill(world);
  Client& bob = world.connect("bob");
  world.frozen = true;
  bob.subscribe("*.match", StartPosition::start());
  world.run();

  ASSERT_EQ(world.publish("a.match", "behind"), ErrorCode::kNone);
  ASSERT_EQ(world.publish("z.match", "ahead"), ErrorCode::kNone);
  world.frozen = false;
  world.run();
  ASSERT_EQ(world.publish("a.match", "more"), ErrorCode::kNone);
  ASSERT_EQ(world.publish("z.match", "more"), ErrorCode::kNone);
  ASSERT_EQ(world.publish("m.match", "new"), ErrorCode::kNone);
  world.run();

  EXPECT_THAT(bob.texts(), ElementsAre("behind", "ahead", "more", "more", "new"));
}

TEST(Wildcard, ThatIsUnsubscribedWhileItLooksIsEndedAndNeverConfirmed) {
  World world;
  fill(world);
  Client& bob = world.connect("bob");
  world.frozen = true;
  const SubscriptionId id = bob.subscribe("*.match", StartPosition::start());
  world.run();

  bob.unsubscribe(id);
  world.run();
  world.frozen = false;
  world.run();
  ASSERT_EQ(world.publish("a.match", "unseen"), ErrorCode::kNone);
  world.run();

  ASSERT_EQ(bob.ended.size(), 1U);
  EXPECT_EQ(bob.ended[0].code, ErrorCode::kNone);
  EXPECT_THAT(bob.subscribed, IsEmpty());
  EXPECT_THAT(bob.received, IsEmpty());
  EXPECT_EQ(world.hub.counters().subscriptions, 0U);
}

TEST(Wildcard, OfAPeerThatIsGoneWhileItLooksIsForgotten) {
  World world;
  fill(world);
  Client& bob = world.connect("bob");
  world.frozen = true;
  bob.subscribe("*.match");
  world.run();

  world.cut(bob);
  world.frozen = false;
  world.run();

  EXPECT_EQ(world.turns, 0U);
  EXPECT_NE(world.hub.next_timeout(), world.now);
}

TEST(Wildcard, ThatEndsBeforeItsTurnLeavesNothingToLookFor) {
  World world;
  fill(world);
  Client& bob = world.connect("bob");
  world.frozen = true;

  for (int i = 0; i < 100; ++i) {
    const SubscriptionId id = bob.subscribe("*.match");
    world.run();
    bob.unsubscribe(id);
    world.run();
  }

  EXPECT_EQ(bob.ended.size(), 100U);
  EXPECT_NE(world.hub.next_timeout(), world.now);
}

// spec: STREAM-9
TEST(Wildcard, WhosePositionsAreTooManyToWaitForTheirTurnIsEndedAlone) {
  const std::vector<wire::SubscribePosition> positions(
      5000, {.channel = channel("m.1"), .epoch = ChannelEpoch(1), .next = Offset(0)});
  const std::size_t fits = Subscribing::kWaitingPositionsMax / positions.size();
  World world;
  fill(world);
  Client& bob = world.connect("bob");
  world.frozen = true;
  for (std::size_t i = 0; i < fits; ++i) bob.subscribe(">", StartPosition::live(), positions);
  world.run();
  EXPECT_THAT(bob.ended, IsEmpty());

  const SubscriptionId one_more = bob.subscribe(">", StartPosition::live(), positions);
  world.run();
  ASSERT_EQ(bob.ended.size(), 1U);
  EXPECT_EQ(bob.ended[0].subscription, one_more);
  EXPECT_EQ(bob.ended[0].code, ErrorCode::kLimitExceeded);
  EXPECT_FALSE(bob.closed_by_hub);

  bob.unsubscribe(SubscriptionId(1));
  bob.subscribe(">", StartPosition::live(), positions);
  world.run();
  EXPECT_EQ(bob.ended.size(), 2U) << "the one that was asked for: its place is there again";
  world.frozen = false;
  world.settle();
  EXPECT_EQ(bob.subscribed.size(), fits);
}

// spec: SUBSCRIBE-6
TEST(Unsubscribe, EndsTheStreamAndIsAnsweredByEndedWithCodeNone) {
  World world;
  Client& bob = world.connect("bob");
  const SubscriptionId id = bob.subscribe("news");
  world.run();
  EXPECT_EQ(world.hub.counters().subscriptions, 1U);

  bob.unsubscribe(id);
  world.run();
  ASSERT_EQ(world.publish("news", "unseen"), ErrorCode::kNone);
  world.run();

  ASSERT_EQ(bob.ended.size(), 1U);
  EXPECT_EQ(bob.ended[0].code, ErrorCode::kNone);
  EXPECT_THAT(bob.received, IsEmpty());
  EXPECT_EQ(world.hub.counters().subscriptions, 0U);
}

TEST(Unsubscribe, OfWhatIsNotThereIsIgnored) {
  World world;
  Client& bob = world.connect("bob");

  bob.unsubscribe(SubscriptionId(7));
  world.run();

  EXPECT_THAT(bob.ended, IsEmpty());
  EXPECT_FALSE(bob.closed_by_hub);
}

// spec: STREAM-7
TEST(Subscribe, TwiceWithTheSameIdClosesTheSession) {
  World world;
  Client& bob = world.connect("bob");
  const wire::Subscribe request{.subscription = SubscriptionId(4),
                                .pattern = *ChannelPattern::parse("news"),
                                .start = {},
                                .positions = {}};

  bob.session.subscribe(request);
  bob.session.subscribe(request);
  world.run();

  ASSERT_TRUE(bob.closed_by_hub);
  EXPECT_EQ(bob.closed_by_hub->code, ErrorCode::kFrameUnexpected);
}

// Whoever gets ENDED or a DELIVER stream for an id knows which subscription is meant.
// spec: STREAM-7
TEST(Subscribe, WithAnIdThatIsNotAboveAllEarlierOnesClosesTheSession) {
  const auto closed_by_second = [](std::uint64_t first, std::uint64_t second) {
    World world;
    Client& bob = world.connect("bob");
    for (const std::uint64_t id : {first, second}) {
      bob.session.subscribe({.subscription = SubscriptionId(id),
                             .pattern = *ChannelPattern::parse("news"),
                             .start = StartPosition::live(),
                             .positions = {}});
      world.run();
      bob.unsubscribe(SubscriptionId(id));
      world.run();
    }
    return bob.closed_by_hub ? bob.closed_by_hub->code : ErrorCode::kNone;
  };

  EXPECT_EQ(closed_by_second(0, 1), ErrorCode::kNone);
  EXPECT_EQ(closed_by_second(5, 77), ErrorCode::kNone);
  EXPECT_EQ(closed_by_second(5, 5), ErrorCode::kFrameUnexpected);
  EXPECT_EQ(closed_by_second(5, 4), ErrorCode::kFrameUnexpected);
}

// spec: STREAM-9
TEST(Subscribe, OneMoreThanTheLimitIsEndedAloneAndTheSessionGoesOn) {
  Limits limits;
  limits.subscription_count_max = 2;
  World world(config_of({}, limits));
  Client& bob = world.connect("bob");
  const SubscriptionId first = bob.subscribe("a");
  bob.subscribe("b.*");
  world.run();
  ASSERT_EQ(bob.subscribed.size(), 2U);
  ASSERT_THAT(bob.ended, IsEmpty());

  const SubscriptionId literal = bob.subscribe("c");
  const SubscriptionId wildcard = bob.subscribe("c.*");
  world.run();

  ASSERT_EQ(bob.ended.size(), 2U);
  EXPECT_EQ(bob.ended[0].subscription, literal);
  EXPECT_EQ(bob.ended[1].subscription, wildcard);
  for (const wire::Ended& one : bob.ended) EXPECT_EQ(one.code, ErrorCode::kLimitExceeded);
  EXPECT_FALSE(bob.closed_by_hub);
  ASSERT_EQ(world.publish("a", "still there"), ErrorCode::kNone);
  world.run();
  EXPECT_THAT(bob.texts(), ElementsAre("still there"));

  bob.unsubscribe(first);  // its place is free again
  bob.subscribe("c");
  world.run();
  EXPECT_EQ(bob.subscribed.size(), 3U);
}

TEST(Subscribe, ToAChannelThatThereIsNoRoomForEndsWithChannelLimit) {
  Limits limits;
  limits.channel_count_max = 1;
  World world(config_of({}, limits));
  Client& bob = world.connect("bob");

  bob.subscribe("a");
  bob.subscribe("b");
  world.run();

  ASSERT_EQ(bob.ended.size(), 1U);
  EXPECT_EQ(bob.ended[0].code, ErrorCode::kChannelLimit);
}

// Two publishers in turn make a run of each message, and a run has a mark.
TEST(Subscription, WhoseMarksFindNoRoomGoesOnWhenSomeAreAcknowledged) {
  Limits limits;
  limits.connection_window = 8 * 1024;
  World world(config_of({.retention = {.count = 0, .bytes = 0}}, limits));
  Client& alice = world.connect("alice");
  Client& ben = world.connect("ben");
  const StreamKey of_alice = alice.open_publication("news");
  const StreamKey of_ben = ben.open_publication("news");
  for (int i = 0; i < 3000; ++i) {
    alice.send(of_alice, "a");
    ben.send(of_ben, "b");
    world.run();
  }
  Client& bob = world.connect("bob");
  bob.acknowledges = false;

  bob.subscribe("news", StartPosition::start());
  world.run();
  const std::size_t received = bob.received.size();
  EXPECT_GT(received, 100U);
  EXPECT_LT(received, 6000U);
  world.acknowledge(bob);
  world.run();
  EXPECT_GT(bob.received.size(), received);
  bob.acknowledges = true;
  world.acknowledge(bob);
  world.run();

  EXPECT_EQ(bob.received.size(), 6000U);
  EXPECT_FALSE(bob.closed_by_hub);
}

TEST(Subscription, ThatAcknowledgesNothingPinsNoMoreThanItsCapAndGoesOnWhenItDoes) {
  Limits limits;
  limits.pinned_size_max = 64 * 1024;
  World world(config_of({.retention = {.count = 0, .bytes = 0}}, limits));
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  for (int i = 0; i < 1000; ++i) {
    alice.send(stream, std::string(1000, 'x'));
    world.run();
  }
  Client& bob = world.connect("bob");
  bob.acknowledges = false;

  bob.subscribe("news", StartPosition::start());
  world.run();
  const std::size_t received = bob.received.size();
  EXPECT_GT(received, 60U);
  EXPECT_LT(received, 256U);  // the cap, and what was queued when it was met
  bob.acknowledges = true;
  world.acknowledge(bob);
  world.run();

  EXPECT_EQ(bob.received.size(), 1000U);
}

// The peer's table of producer aliases is bounded; the server must not run into it. spec: STREAM-7
TEST(Subscription, MeetsNoMorePublishersThanAStreamMayIntroduce) {
  World world(config_of({.retention = {.count = 1, .bytes = 0}, .slow_policy = SlowPolicy::kWait}));
  Client& bob = world.connect("bob");
  bob.keeps = false;
  bob.subscribe("news");
  world.run();
  Client& alice = world.connect("alice");
  for (std::uint64_t i = 0; i <= Delivery::kProducerCountMax; ++i) {
    ProducerId id;
    for (std::size_t byte = 0; byte < 4; ++byte)
      id.bytes[byte] = static_cast<std::byte>(i >> (8 * byte));
    const StreamKey stream = alice.open_publication({.publication = PublicationId(i),
                                                     .producer = id,
                                                     .epoch = {},
                                                     .next = {},
                                                     .channel = channel("news")});
    alice.send(stream, "x");
    alice.finish(stream);
    world.run();
    alice.session.core().sends().release(stream);
    if (i + 1 == Delivery::kProducerCountMax) {
      ASSERT_THAT(bob.ended, IsEmpty());
    }
  }
  world.run();

  ASSERT_FALSE(alice.closed_by_hub) << alice.closed_by_hub->text;
  EXPECT_EQ(bob.received_count, Delivery::kProducerCountMax);
  ASSERT_EQ(bob.ended.size(), 1U);
  EXPECT_EQ(bob.ended[0].code, ErrorCode::kLimitExceeded);
  EXPECT_FALSE(bob.closed);
}

}  // namespace
}  // namespace orzatty::hub::test
