// Sessions that go on over new connections, with whole clients and a whole server: what it costs,
// and that nothing is lost, doubled or silently left out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "link/client_link.h"
#include "link/world_for_test.h"

namespace orzatty::link::test {
namespace {

using testing::ElementsAre;

constexpr Duration kRoundTrip = 10ms;  // of the world's links

std::uint64_t count_of(const Client& client, Fate fate) {
  std::uint64_t count = 0;
  for (const client::Settled& settled : client.fates) {
    if (settled.fate == fate) count += settled.to - settled.from;
  }
  return count;
}

// spec: RESUME-1, RESUME-3
TEST(Resume, CostsAHandshakeAndARoundTripUntilDataFlowsAgainBothWays) {
  World world;
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("chat");
  bob.publish("answers", "0");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1 && bob.settled(); }));
  world.run_for(1s);

  world.drop_connection(bob);
  alice.publish("chat", "while bob is away");
  bob.publish("answers", "1");
  ASSERT_TRUE(world.run_until([&] { return bob.connection_count == 2; }, 5s));
  const Instant begin = world.now;
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 1; }, 5s));
  const Duration until_data = world.now - begin;
  ASSERT_TRUE(world.run_until([&] { return world.server->hub().counters().messages_in == 3; }, 5s));
  const Duration until_published = world.now - begin;

  EXPECT_TRUE(bob.connected.back().resumed);
  EXPECT_LE(until_data, 2 * kRoundTrip) << "a handshake and a round trip";
  EXPECT_LE(until_published, 2 * kRoundTrip + kRoundTrip / 2) << "and the way of the message";
  EXPECT_EQ(world.resumed.size(), 1U);
}

TEST(Resume, CostsNoMoreWhenTheServerIsUnderLoadAndAsksStrangersToProveTheirAddress) {
  World world({.under_load = true});
  Client& bob = world.client("bob");
  bob.subscribe("chat");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1; }));
  world.run_for(1s);
  ASSERT_EQ(world.server->endpoint().counters().replies, 1U) << "a Retry, for bob was a stranger";

  world.drop_connection(bob);
  ASSERT_TRUE(world.run_until([&] { return bob.connection_count == 2; }, 5s));
  const Instant begin = world.now;
  ASSERT_TRUE(world.run_until([&] { return bob.connected.size() == 2; }, 5s));

  EXPECT_TRUE(bob.connected.back().resumed);
  EXPECT_LE(world.now - begin, 2 * kRoundTrip);
  EXPECT_EQ(world.server->endpoint().counters().replies, 1U);
}

// spec: RESUME-1, RESUME-3, PUBLISH-2
TEST(Resume, OverAHundredBrokenConnectionsLosesDoublesAndReordersNothing) {
  World world({.loss = 0.02, .seed = 7});
  world.echo("echo");
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("chat.*");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1 && !alice.connected.empty(); }));

  std::vector<std::string> texts;
  for (int round = 0; round < 100; ++round) {
    for (const std::string& text : numbered(std::to_string(round) + ".", 20)) {
      alice.publish("chat.room", text);
      alice.publish("echo", text);
      texts.push_back(text);
    }
    world.run_for(Duration(round % 7) * 3);
    world.drop_connection(round % 2 == 0 ? alice : bob);
    world.run_for(30ms);
  }
  ASSERT_TRUE(world.run_until(
      [&] {
        return bob.seen.size() >= texts.size() && alice.seen_direct.size() >= texts.size() &&
               alice.settled();
      },
      600s));
  world.run_for(1s);

  EXPECT_EQ(bob.texts(), texts);
  EXPECT_TRUE(bob.missed.empty());
  ASSERT_EQ(alice.seen_direct.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(alice.seen_direct[i].text, texts[i]);
    EXPECT_EQ(alice.seen_direct[i].offset, i);
  }
  EXPECT_TRUE(alice.missed_direct.empty());
  EXPECT_EQ(count_of(alice, Fate::kAccepted), 2 * texts.size());
  EXPECT_TRUE(world.left.empty());
  EXPECT_EQ(world.joined.size(), 2U);
}

// spec: RESUME-5
TEST(Resume, TheServerNeedNotKnowYetThatTheOlderConnectionIsGone) {
  World world;
  world.echo("echo");
  Client& alice = world.client("alice");
  alice.subscribe("chat");
  alice.publish("echo", "before");
  ASSERT_TRUE(world.run_until([&] { return alice.seen_direct.size() == 1 && alice.ready == 1; }));

  world.forget_connection(alice);  // without a word to the server
  alice.publish("echo", "after");
  ASSERT_TRUE(world.run_until([&] { return alice.seen_direct.size() == 2; }, 5s));
  world.run_for(60s);

  EXPECT_TRUE(alice.connected.back().resumed);
  EXPECT_EQ(alice.connected.size(), 2U) << "the older connection's end is nobody's business";
  EXPECT_TRUE(alice.missed_direct.empty());
  EXPECT_TRUE(world.left.empty());
  EXPECT_EQ(world.server->hub().counters().peers, 1U);
}

TEST(Resume, ASessionThatWaitedTooLongIsANewOneAndTheClientIsTold) {
  World world;
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("chat");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1 && !alice.connected.empty(); }));
  alice.publish("chat", "0");
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 1; }));

  bob.cut_off = true;
  alice.publish("chat", "1");
  world.run_for(180s);
  ASSERT_EQ(world.left.size(), 1U);
  bob.cut_off = false;
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 2; }, 30s));

  EXPECT_TRUE(bob.connected.back().again);
  EXPECT_FALSE(bob.connected.back().resumed);
  EXPECT_THAT(bob.texts(), ElementsAre("0", "1"));
  EXPECT_TRUE(bob.missed.empty()) << "the channel kept what it missed";
}

// What an older server had acknowledged is gone with it, and said to be; what it had not answered
// is sent to the new one and has its one fate there.
TEST(Resume, AServerThatStartedAnewIsToldToSubscribersAndEachFateIsTheTruthOnce) {
  World world;
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("chat");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1 && !alice.connected.empty(); }));
  for (const std::string& text : numbered("a", 100)) alice.publish("chat", text);
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 100 && alice.settled(); }));
  for (const std::string& text : numbered("b", 100)) alice.publish("chat", text);
  world.run_for(7ms);  // they are with the server, and its answers are on their way

  world.restart_server();
  ASSERT_TRUE(world.run_until([&] { return alice.settled() && bob.connected.size() == 2; }, 60s));
  world.run_for(5s);

  EXPECT_FALSE(alice.connected.back().resumed);
  EXPECT_EQ(bob.resets, 1U);
  EXPECT_EQ(count_of(alice, Fate::kAccepted), 200U);
  EXPECT_EQ(count_of(alice, Fate::kUnknown), 0U);
  Sequence next;
  for (const client::Settled& settled : alice.fates) {
    EXPECT_EQ(settled.from, next) << "each once, in order";
    next = settled.to;
  }
  // All that the new server says that it has, its subscribers see, from its first offset on.
  std::vector<std::string> since_reset;
  for (std::size_t i = bob.seen_at_reset; i < bob.seen.size(); ++i) {
    EXPECT_EQ(bob.seen[i].offset, i - bob.seen_at_reset);
    since_reset.push_back(bob.seen[i].text);
  }
  EXPECT_EQ(since_reset.size(), world.server->hub().counters().messages_in);
  EXPECT_EQ(since_reset.back(), "b99");
}

}  // namespace
}  // namespace orzatty::link::test
