// Mode datagram, from a publisher's outbox to a subscriber, over links that lose.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "link/world_for_test.h"

namespace orzatty::link::test {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

WorldConfig datagram_world(double loss = 0, std::uint64_t seed = 1) {
  WorldConfig config;
  config.channel_default.mode = DeliveryMode::kDatagram;
  config.loss = loss;
  config.seed = seed;
  return config;
}

std::uint64_t count_of(const Client& client, Fate fate) {
  std::uint64_t count = 0;
  for (const client::Settled& settled : client.fates) {
    if (settled.fate == fate) count += settled.to - settled.from;
  }
  return count;
}

std::uint64_t missed_by(const Client& client, GapReason reason) {
  std::uint64_t count = 0;
  for (const client::Missed& missed : client.missed) {
    if (missed.gap.reason == reason) count += missed.gap.to - missed.gap.from;
  }
  return count;
}

// Messages and gaps in the order in which they were told: each begins where the last one ended.
void expect_exact(const Client& client, std::uint64_t first, std::uint64_t stored) {
  std::uint64_t next = first;
  std::size_t seen = 0;
  const auto see_until = [&](std::size_t count) {
    for (; seen < count; ++seen) EXPECT_EQ(client.seen[seen].offset, next++);
  };
  for (std::size_t i = 0; i < client.missed.size(); ++i) {
    see_until(client.seen_at_gap[i]);
    EXPECT_EQ(client.missed[i].gap.from.value(), next);
    next = client.missed[i].gap.to.value();
  }
  see_until(client.seen.size());
  EXPECT_EQ(next, stored);
}

void publish_slowly(World& world, Client& client, int count) {
  for (int i = 0; i < count; ++i) {
    client.publish("game", "move " + std::to_string(i));
    if (i % 10 == 9) world.run_for(2ms);
  }
  ASSERT_TRUE(world.run_until([&] { return client.settled(); }));
}

// spec: DATAGRAM-1, DATAGRAM-4, DATAGRAM-6, DATAGRAM-7
TEST(Datagrams, OfFiveThousandMessagesAtFivePercentLossEachIsSeenOnceInOrderOrMissedByAGap) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    World world(datagram_world(0.05, seed));
    Client& alice = world.client("alice");
    Client& bob = world.client("bob");
    alice.mode = DeliveryMode::kDatagram;
    bob.subscribe("game");
    ASSERT_TRUE(world.run_until([&] { return bob.ready == 1 && alice.connected.size() == 1; }));

    publish_slowly(world, alice, 5000);
    world.run_for(1s);
    world.loss = 0;
    world.run_for(5s);

    EXPECT_EQ(count_of(alice, Fate::kHandedToNetwork), 5000U);
    const std::uint64_t stored = world.server->hub().counters().messages_in;
    EXPECT_LT(stored, 5000U) << "nothing was lost on the way to the server";
    EXPECT_GT(stored, 4000U);
    expect_exact(bob, 0, stored);
    EXPECT_EQ(bob.seen.size() + missed_by(bob, GapReason::kLost), stored);
    EXPECT_GT(missed_by(bob, GapReason::kLost), 0U);
    EXPECT_GT(bob.seen.size(), 4000U);
  }
}

TEST(Datagrams, WithoutLossArriveAll) {
  World world(datagram_world());
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  alice.mode = DeliveryMode::kDatagram;
  bob.subscribe("game");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1; }));

  publish_slowly(world, alice, 1000);
  world.run_for(1s);

  EXPECT_EQ(bob.texts(), numbered("move ", 1000));
  EXPECT_THAT(bob.missed, IsEmpty());
  EXPECT_EQ(bob.seen.front().publisher, "alice");
}

// spec: DATAGRAM-1
TEST(Datagrams, LeaveOnceTheServerKnowsTheirPublication) {
  World world(datagram_world());
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  alice.mode = DeliveryMode::kDatagram;
  bob.subscribe("game");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1; }));

  alice.publish("game", "the first");
  ASSERT_TRUE(world.run_until([&] { return alice.settled(); }));
  world.run_for(1s);

  EXPECT_THAT(bob.texts(), testing::ElementsAre("the first"));
  EXPECT_EQ(world.server->hub().counters().datagrams_dropped, 0U);
}

// spec: DATAGRAM-6
TEST(Datagrams, ThatAreLostAtTheEndAreAGapWithoutAnyMessageBehindThem) {
  World world(datagram_world());
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  alice.mode = DeliveryMode::kDatagram;
  bob.subscribe("game");
  alice.publish("game", "seen");
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 1; }));

  bob.cut_off = true;
  alice.publish("game", "lost");
  world.run_for(50ms);
  bob.cut_off = false;
  world.run_for(5s);

  EXPECT_THAT(bob.texts(), testing::ElementsAre("seen"));
  expect_exact(bob, 0, 2);
  EXPECT_EQ(missed_by(bob, GapReason::kLost), 1U);
}

// spec: DATAGRAM-8
TEST(Datagrams, DoNotWaitForASubscriberThatSleeps) {
  WorldConfig config = datagram_world();
  config.channel_default.retention.bytes = 64 * 1024;
  World world(config);
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  Client& carol = world.client("carol");
  alice.mode = DeliveryMode::kDatagram;
  bob.subscribe("game");
  carol.subscribe("game");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1 && carol.ready == 1; }));

  carol.asleep = true;
  const std::string large(900, 'x');
  for (int i = 0; i < 5000; ++i) {
    alice.publish("game", large);
    if (i % 10 == 9) world.run_for(4ms);
  }
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() + missed_by(bob, GapReason::kLost) +
                                               missed_by(bob, GapReason::kSlow) == 5000; }));
  EXPECT_TRUE(alice.settled());
  EXPECT_GT(bob.seen.size(), 4900U);
  carol.asleep = false;
  world.run_for(10s);

  expect_exact(carol, 0, 5000);
  EXPECT_GT(missed_by(carol, GapReason::kSlow) + missed_by(carol, GapReason::kLost), 1000U);
}

TEST(Datagrams, GoOnWithoutARepeatWhenTheSubscriberComesBack) {
  World world(datagram_world(0.02));
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  alice.mode = DeliveryMode::kDatagram;
  bob.subscribe("game");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1; }));

  publish_slowly(world, alice, 500);
  world.drop_connection(bob);
  publish_slowly(world, alice, 500);
  world.drop_connection(alice);
  publish_slowly(world, alice, 500);
  world.loss = 0;
  world.run_for(10s);

  EXPECT_EQ(bob.connection_count, 2U);
  EXPECT_EQ(count_of(alice, Fate::kHandedToNetwork), 1500U);
  expect_exact(bob, 0, world.server->hub().counters().messages_in);
}

// spec: DATAGRAM-5, PUBLISH-9
TEST(Datagrams, ToAChannelOfAnotherModeAreRejectedBeforeAnyLeaves) {
  World world;
  Client& alice = world.client("alice");
  alice.mode = DeliveryMode::kDatagram;

  alice.publish("game", "no");
  alice.publish("game", "neither");
  ASSERT_TRUE(world.run_until([&] { return alice.settled(); }));
  alice.publish("game", "nor this one");
  ASSERT_TRUE(world.run_until([&] { return alice.settled(); }));

  EXPECT_THAT(alice.fates, Each(Field(&client::Settled::code, ErrorCode::kModeUnsupported)));
  EXPECT_EQ(count_of(alice, Fate::kRejected), 3U);
  EXPECT_EQ(world.server->hub().counters().datagrams_dropped, 0U);
}

// spec: DATAGRAM-8
TEST(Datagrams, OfAReliablePublisherAreAcceptedAndOneTooLargeIsRejected) {
  World world(datagram_world());
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("game");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1; }));

  alice.publish("game", "small");
  alice.publish("game", std::string(kDatagramMessageSizeMax, 'x'));
  alice.publish("game", std::string(kDatagramMessageSizeMax + 1, 'y'));
  alice.publish("game", "last");
  ASSERT_TRUE(world.run_until([&] { return alice.settled() && bob.seen.size() == 3; }));

  EXPECT_EQ(count_of(alice, Fate::kAccepted), 3U);
  EXPECT_EQ(count_of(alice, Fate::kRejected), 1U);
  EXPECT_EQ(bob.texts()[1], std::string(kDatagramMessageSizeMax, 'x'));
  EXPECT_EQ(bob.texts()[2], "last");
}

TEST(Datagrams, ReachAHandlerOfTheServer) {
  World world(datagram_world());
  world.echo("game");
  Client& alice = world.client("alice");
  alice.mode = DeliveryMode::kDatagram;

  alice.publish("game", "echo");
  ASSERT_TRUE(world.run_until([&] { return alice.seen_direct.size() == 1; }));

  EXPECT_EQ(alice.seen_direct[0].text, "echo");
  EXPECT_EQ(count_of(alice, Fate::kHandedToNetwork), 1U);
  EXPECT_EQ(world.server->hub().counters().handed_over, 1U);
}

// spec: DATAGRAM-9
TEST(Datagrams, ToAServerThatTakesNoneAreRejected) {
  WorldConfig config = datagram_world();
  config.server_takes_datagrams = false;
  World world(config);
  Client& alice = world.client("alice");
  alice.mode = DeliveryMode::kDatagram;

  alice.publish("game", "one");
  ASSERT_TRUE(world.run_until([&] { return alice.settled(); }));
  alice.publish("game", "another");
  ASSERT_TRUE(world.run_until([&] { return alice.settled(); }));

  EXPECT_EQ(count_of(alice, Fate::kRejected), 2U);
  EXPECT_THAT(alice.fates, Each(Field(&client::Settled::code, ErrorCode::kModeUnsupported)));
  EXPECT_THAT(alice.disconnected, IsEmpty());
}

// spec: DATAGRAM-9
TEST(Datagrams, ToASubscriberWhoseConnectionTakesNoneEndItsSubscriptionAlone) {
  World world(datagram_world());
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  Client& carol = world.client_without_datagrams("carol");
  alice.mode = DeliveryMode::kDatagram;
  bob.subscribe("game");
  carol.subscribe("game");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1 && carol.ready == 1; }));

  alice.publish("game", "one");
  ASSERT_TRUE(world.run_until([&] { return !carol.ended.empty() && bob.seen.size() == 1; }));
  carol.subscribe("game");
  ASSERT_TRUE(world.run_until([&] { return carol.ended.size() == 2; }));

  EXPECT_THAT(carol.ended, Each(Field(&client::SubscriptionEnded::code, ErrorCode::kModeUnsupported)));
  EXPECT_THAT(carol.disconnected, IsEmpty());
  EXPECT_THAT(carol.seen, IsEmpty());
}

// spec: DATAGRAM-2
TEST(Datagrams, OfAStrangerHaveNoEffectAndAreCounted) {
  World world(datagram_world());
  Stranger& stranger = world.stranger();
  ASSERT_TRUE(world.run_until([&] { return stranger.established; }));

  stranger.send_datagram(copy_of(bytes_of("garbage")));
  world.run_for(1s);

  EXPECT_FALSE(stranger.closed.has_value());
  EXPECT_EQ(world.server->hub().counters().datagrams_dropped, 1U);
}

}  // namespace
}  // namespace orzatty::link::test
