// Whole clients and a whole server: what they do for each other over good and bad links.
#include "link/client_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "link/world_for_test.h"

namespace orzatty::link::test {
namespace {

using testing::ElementsAre;

// Each channel's offsets as they came: dense from 0, each once.
void expect_dense(const std::vector<Seen>& seen, std::string_view channel) {
  std::uint64_t next = 0;
  for (const Seen& one : seen) {
    if (one.channel != channel) continue;
    EXPECT_EQ(one.offset, next++) << one.text;
  }
}

std::uint64_t accepted(const Client& client) {
  std::uint64_t count = 0;
  for (const client::Settled& fate : client.fates) {
    if (fate.fate == Fate::kAccepted) count += fate.to - fate.from;
  }
  return count;
}

TEST(ClientLink, AClientWithAGoodTokenIsWelcomedUnderItsName) {
  World world;
  Client& alice = world.client("alice");

  ASSERT_TRUE(world.run_until([&] { return !alice.connected.empty(); }, 1s));

  EXPECT_EQ(alice.connected.front().identity, "alice");
  EXPECT_FALSE(alice.connected.front().again);
  EXPECT_THAT(world.joined, ElementsAre("alice"));
}

TEST(ClientLink, WhatOnePublishesTheOtherReceivesUnderItsName) {
  World world;
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("chat.*");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1; }));

  alice.publish("chat.room", "Hello");
  alice.publish("other", "not for bob");
  alice.publish("chat.room", "Orzatty");
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 2; }, 1s));

  EXPECT_THAT(bob.texts(), ElementsAre("Hello", "Orzatty"));
  EXPECT_EQ(bob.seen.front().channel, "chat.room");
  EXPECT_EQ(bob.seen.front().publisher, "alice");
  ASSERT_TRUE(world.run_until([&] { return alice.settled(); }, 1s));
  EXPECT_EQ(accepted(alice), 3U);
}

TEST(ClientLink, AMessageToAHandlerComesBackToItsSenderAlone) {
  World world;
  world.echo("echo");
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe(">");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1; }));

  for (const std::string& text : numbered("echo ", 100)) alice.publish("echo", text);
  ASSERT_TRUE(world.run_until([&] { return alice.seen_direct.size() == 100; }, 1s));

  EXPECT_EQ(alice.seen_direct.back().text, "echo 99");
  EXPECT_TRUE(bob.seen.empty());
  EXPECT_TRUE(bob.seen_direct.empty());
}

// spec: SESSION-5
TEST(ClientLink, AWrongTokenIsRefusedForGoodAndNobodyJoins) {
  World world;
  Client& mallory = world.client_with_token("wrong", {});
  mallory.publish("chat", "let me in");

  ASSERT_TRUE(world.run_until([&] { return !mallory.disconnected.empty(); }, 1s));
  world.run_for(30s);

  ASSERT_EQ(mallory.disconnected.size(), 1U);
  EXPECT_EQ(mallory.disconnected.front().code, ErrorCode::kAuthenticationFailed);
  EXPECT_FALSE(mallory.disconnected.front().retrying);
  EXPECT_TRUE(world.joined.empty());
  EXPECT_TRUE(mallory.link().finished());
  EXPECT_EQ(world.server->hub().counters().messages_in, 0U);
  EXPECT_EQ(world.server->connection_count(), 0U);
}

// spec: TRANSPORT-1
TEST(ClientLink, AServerOfAnotherProtocolIsLeftForGoodWithAWordWhatItMeans) {
  World world({.application_protocol = "h3"});
  Client& alice = world.client("alice");

  ASSERT_TRUE(world.run_until([&] { return !alice.disconnected.empty(); }, 1s));
  world.run_for(30s);

  ASSERT_EQ(alice.disconnected.size(), 1U);
  EXPECT_EQ(alice.disconnected.front().code, ErrorCode::kVersionUnsupported);
  EXPECT_FALSE(alice.disconnected.front().retrying);
  EXPECT_THAT(alice.disconnected.front().text, testing::HasSubstr("protocol"));
  EXPECT_TRUE(alice.link().finished());
}

TEST(ClientLink, AFifthOfAllDatagramsLostLosesNoMessageAndNoOrder) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    World world({.loss = 0.2, .seed = seed});
    Client& alice = world.client("alice");
    Client& bob = world.client("bob");
    bob.subscribe("chat");
    const std::vector<std::string> texts = numbered("a message of some length: ", 3000);

    for (const std::string& text : texts) alice.publish("chat", text);
    ASSERT_TRUE(
        world.run_until([&] { return bob.seen.size() >= texts.size() && alice.settled(); }, 600s));

    EXPECT_EQ(bob.texts(), texts);
    expect_dense(bob.seen, "chat");
    EXPECT_EQ(accepted(alice), texts.size());
  }
}

// The end of a stream alone, in a packet that what was lost has filled.
TEST(ClientLink, PublishersThatAreRetiredEndWhateverTheNetworkLoses) {
  World world({.delay = 40ms, .loss = 0.1});
  Client& alice = world.client("alice");
  constexpr std::size_t kCount = 200;
  for (std::size_t i = 0; i < kCount; ++i) {
    const PublicationId publisher = alice.engine().publish(channel("chat"));
    for (int message = 0; message < 10; ++message) {
      ASSERT_TRUE(alice.engine().outbox(publisher).append(MessageType::kRaw, bytes_of("hello")));
      alice.engine().wake(publisher);
      world.run_for(2ms);
    }
    alice.engine().retire(publisher);
  }

  EXPECT_TRUE(world.run_until([&] { return alice.publishers_ended == kCount; }, 600s))
      << alice.publishers_ended;
}

// spec: PUBLISH-2, SESSION-9
TEST(ClientLink, APublisherCutOffUntilItIsGivenUpComesBackAndEachMessageIsStoredOnce) {
  World world;
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("chat");
  const std::vector<std::string> texts = numbered("", 1000);
  for (int i = 0; i < 300; ++i) alice.publish("chat", texts[static_cast<std::size_t>(i)]);
  ASSERT_TRUE(world.run_until([&] { return !bob.seen.empty(); }));

  // The hub has what was on its way, but its answers vanish with the rest.
  for (int i = 300; i < 600; ++i) alice.publish("chat", texts[static_cast<std::size_t>(i)]);
  world.run_for(5ms);
  alice.cut_off = true;
  for (int i = 600; i < 1000; ++i) alice.publish("chat", texts[static_cast<std::size_t>(i)]);
  ASSERT_TRUE(world.run_until([&] { return !alice.disconnected.empty(); }, 20s));
  world.run_for(20s);
  alice.cut_off = false;
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() >= 1000 && alice.settled(); }, 20s));

  EXPECT_EQ(alice.disconnected.front().code, ErrorCode::kPeerSilent);
  EXPECT_TRUE(alice.disconnected.front().retrying);
  EXPECT_TRUE(alice.connected.back().again);
  EXPECT_EQ(bob.texts(), texts);
  expect_dense(bob.seen, "chat");
  EXPECT_EQ(accepted(alice), texts.size());
  const hub::HubCounters& counters = world.server->hub().counters();
  EXPECT_EQ(counters.messages_in - counters.duplicates, texts.size());
  EXPECT_GT(counters.duplicates, 0U) << "nothing was on its way when it was cut off";
}

TEST(ClientLink, WhoWasCutOffIsBackSecondsAfterThePathIsHoweverLongThatTook) {
  for (Duration hole = 30s; hole < 50s; hole += 700ms) {
    World world;
    Client& alice = world.client("alice");
    ASSERT_TRUE(world.run_until([&] { return !alice.connected.empty(); }));

    alice.cut_off = true;
    world.run_for(hole);
    alice.cut_off = false;

    EXPECT_TRUE(world.run_until([&] { return alice.connected.size() == 2; }, 4s))
        << std::chrono::duration<double>(hole).count();
  }
}

// spec: SUBSCRIBE-4
TEST(ClientLink, ASubscriberCutOffUntilItIsGivenUpGoesOnWhereItWas) {
  World world;
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("chat");
  const std::vector<std::string> texts = numbered("", 1000);
  for (int i = 0; i < 500; ++i) alice.publish("chat", texts[static_cast<std::size_t>(i)]);
  ASSERT_TRUE(world.run_until([&] { return !bob.seen.empty(); }));

  bob.cut_off = true;
  for (int i = 500; i < 1000; ++i) alice.publish("chat", texts[static_cast<std::size_t>(i)]);
  world.run_for(40s);
  bob.cut_off = false;
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() >= 1000; }, 20s));

  EXPECT_EQ(bob.texts(), texts);
  expect_dense(bob.seen, "chat");
  EXPECT_TRUE(bob.missed.empty());
  EXPECT_EQ(world.detached.size(), 1U);
  EXPECT_EQ(world.detached.front().identity, "bob");
  EXPECT_TRUE(world.left.empty());
}

// spec: SESSION-8
TEST(ClientLink, ASessionInWhichNobodySaysAnythingStaysOpen) {
  World world;
  Client& alice = world.client("alice");

  ASSERT_TRUE(world.run_until([&] { return !alice.connected.empty(); }));
  world.run_for(600s);

  EXPECT_TRUE(alice.disconnected.empty());
  EXPECT_TRUE(world.left.empty());
}

TEST(ClientLink, AfterTheServerStartedAnewChannelsBeginAnewAndNobodyNeedsToKnow) {
  World world;
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("chat");
  alice.publish("chat", "before");
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 1 && alice.settled(); }));

  world.restart_server();
  ASSERT_TRUE(world.run_until(
      [&] { return alice.connected.size() == 2 && bob.connected.size() == 2; }, 60s));
  alice.publish("chat", "after");
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 2; }, 10s));

  EXPECT_THAT(bob.texts(), ElementsAre("before", "after"));
  EXPECT_EQ(bob.resets, 1U);
}

TEST(ClientLink, ACloseWaitsForFatesThenEndsTheSessionInOrder) {
  World world;
  Client& alice = world.client("alice");
  for (const std::string& text : numbered("", 500)) alice.publish("chat", text);
  ASSERT_TRUE(world.run_until([&] { return !alice.connected.empty(); }));

  alice.engine().close(client::ClientEngine::Ending::kWhenSettled, world.now);
  ASSERT_TRUE(world.run_until([&] { return alice.link().finished(); }, 5s));
  world.run_for(5s);

  EXPECT_EQ(accepted(alice), 500U);
  ASSERT_EQ(world.left.size(), 1U);
  EXPECT_EQ(world.left.front().code, ErrorCode::kNone);
  EXPECT_EQ(world.server->connection_count(), 0U);
}

TEST(ClientLink, ACloseAtOnceTakesNoTimeAndTheServerHearsOfIt) {
  World world;
  Client& alice = world.client("alice");
  ASSERT_TRUE(world.run_until([&] { return !alice.connected.empty(); }));
  const Instant start = world.now;

  alice.engine().close(client::ClientEngine::Ending::kNow, world.now);
  ASSERT_TRUE(world.run_until([&] { return alice.link().has_left(); }));
  EXPECT_LT(world.now - start, 1ms);
  ASSERT_TRUE(world.run_until([&] { return !world.left.empty(); }));

  EXPECT_EQ(world.left.front().code, ErrorCode::kNone);
}

// spec: SESSION-10
TEST(ClientLink, AServerThatGoesAwaySaysSo) {
  World world;
  Client& alice = world.client("alice");
  ASSERT_TRUE(world.run_until([&] { return !alice.connected.empty(); }));

  world.server->start_draining(3s, "maintenance");
  ASSERT_TRUE(world.run_until([&] { return !alice.drained.empty(); }, 1s));
  world.server->close_all(ErrorCode::kDraining, "maintenance", world.now);
  ASSERT_TRUE(world.run_until([&] { return !alice.disconnected.empty(); }, 1s));

  EXPECT_THAT(alice.drained, ElementsAre("maintenance"));
  EXPECT_EQ(alice.disconnected.front().code, ErrorCode::kDraining);
  EXPECT_TRUE(alice.disconnected.front().retrying);
}

// The server's end of the connection of the only client.
quic::Connection& connection_of_server(World& world) {
  quic::Connection* connection = nullptr;
  for (std::uint32_t generation = 0; generation < 3 && connection == nullptr; ++generation) {
    connection = world.server->endpoint().find({.slot = 0, .generation = generation});
  }
  return *connection;
}

// spec: SESSION-13
TEST(ClientLink, AServerThatResetsTheControlStreamIsLeftAndTriedAgain) {
  World world;
  Client& alice = world.client("alice");
  ASSERT_TRUE(world.run_until([&] { return !alice.connected.empty(); }));

  connection_of_server(world).reset_stream(quic::StreamId(0), 0);
  // Whatever makes the server write.
  static_cast<void>(alice.engine().ping());
  ASSERT_TRUE(world.run_until([&] { return alice.connected.size() == 2; }, 5s));

  ASSERT_EQ(alice.disconnected.size(), 1U);
  EXPECT_EQ(alice.disconnected.front().code, ErrorCode::kStreamUnexpected);
}

// It need not wait for what the server makes of its silence.
// spec: SESSION-13
TEST(ClientLink, AServerThatWantsNoMoreOfTheControlStreamIsLeftAtOnce) {
  World world;
  Client& alice = world.client("alice");
  ASSERT_TRUE(world.run_until([&] { return !alice.connected.empty(); }));

  connection_of_server(world).stop_stream(quic::StreamId(0), 0);
  world.server->start_draining(3s, "in the packet that also says so");
  ASSERT_TRUE(world.run_until([&] { return !alice.drained.empty(); }, 1s));
  ASSERT_TRUE(alice.disconnected.empty());
  alice.cut_off = true;
  static_cast<void>(alice.engine().ping());
  ASSERT_TRUE(world.run_until([&] { return !alice.disconnected.empty(); }, 1s));

  EXPECT_EQ(alice.disconnected.front().code, ErrorCode::kStreamUnexpected);
  EXPECT_TRUE(alice.disconnected.front().retrying);
}

// spec: TRANSPORT-5
TEST(ClientLink, AClientThatMovesToAnotherAddressKeepsItsSession) {
  World world;
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("chat");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1 && !alice.connected.empty(); }));
  world.run_for(1s);

  world.move(bob);
  alice.publish("chat", "one");
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 1; }, 5s));
  world.run_for(1s);
  const std::size_t stray = world.datagrams_to_retired;
  for (const std::string& text : numbered("", 500)) alice.publish("chat", text);
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 501; }, 5s));

  EXPECT_EQ(world.datagrams_to_retired, stray) << "the server still sends to the old address";
  EXPECT_TRUE(bob.disconnected.empty());
  EXPECT_TRUE(world.left.empty());
}

// spec: TRANSPORT-5
TEST(ClientLink, AListenerThatMovesFasterThanPathsAreValidatedIsFollowedAtOnce) {
  for (const Duration between : {1ms, 12ms, 30ms}) {
    World world;
    Client& alice = world.client("alice");
    Client& bob = world.client("bob");
    bob.subscribe("news");
    ASSERT_TRUE(world.run_until([&] { return bob.ready == 1 && !alice.connected.empty(); }));
    for (const std::string& text : numbered("", 50)) alice.publish("news", text);
    for (int move = 0; move < 10; ++move) {
      world.run_for(between);
      world.move(bob);
    }

    const bool all = world.run_until([&] { return bob.seen.size() == 50; }, 1s);

    EXPECT_TRUE(all) << "moving every " << between / 1ms << " ms";
    EXPECT_TRUE(bob.disconnected.empty());
  }
}

// spec: TRANSPORT-5
TEST(ClientLink, AClientWhoseNatForgotItIsFollowedAsSoonAsItSpeaks) {
  World world;
  Client& alice = world.client("alice");
  ASSERT_TRUE(world.run_until([&] { return !alice.connected.empty(); }));
  world.echo("echo");
  world.run_for(1s);

  world.rebind(alice);
  for (const std::string& text : numbered("", 500)) alice.publish("echo", text);
  ASSERT_TRUE(world.run_until([&] { return alice.seen_direct.size() == 500; }, 10s));
  world.run_for(60s);

  EXPECT_TRUE(alice.disconnected.empty());
  EXPECT_TRUE(world.left.empty());
}

TEST(ClientLink, LargeMessagesFillALongPathAsSmallOnesDo) {
  const double rate = 100e6 / 8;
  World world({.delay = 20ms, .bottleneck = {.rate = rate, .queue = 40ms}});
  Client& alice = world.client("alice");
  ASSERT_TRUE(world.run_until([&] { return !alice.connected.empty(); }));
  const std::string image(64 * 1024, 'i');
  constexpr int kCount = 400;
  for (int i = 0; i < kCount; ++i) alice.publish("images", image);
  const Instant begin = world.now;

  ASSERT_TRUE(world.run_until([&] { return alice.settled(); }));

  const double seconds = std::chrono::duration<double>(world.now - begin).count();
  EXPECT_GE(kCount * static_cast<double>(image.size()) / seconds, rate / 2);
}

// What waits for an acknowledgement at most, in bytes, while 16 MB cross a path of 100 Mbit/s.
std::uint64_t kept_at_most(Duration delay) {
  constexpr std::size_t kSize = 1000;
  World world({.delay = delay, .bottleneck = {.rate = 12.5e6, .queue = 2 * delay + 1ms}});
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("chat");
  for (int i = 0; i < 16'000; ++i) alice.publish("chat", std::string(kSize, 'x'));
  std::uint64_t most = 0;
  EXPECT_TRUE(world.run_until([&] {
    most = std::max(most, alice.engine().outbox(PublicationId(0)).waiting() * kSize);
    return bob.seen.size() == 16'000 && alice.settled();
  }));
  return most;
}

TEST(ClientLink, AnOutboxGrowsWithALongPathAndStaysSmallOnAShortOne) {
  const Limits limits;
  EXPECT_LE(kept_at_most(1ms), limits.outbox_size);
  const std::uint64_t kept = kept_at_most(200ms);
  EXPECT_GT(kept, limits.outbox_size);
  EXPECT_LE(kept, limits.outbox_size_max);
}

// spec: TRANSPORT-5
TEST(ClientLink, AListenerWhoseNatForgotItIsFollowedAtItsNextHeartbeat) {
  World world;
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("chat");
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1 && !alice.connected.empty(); }));
  world.run_for(2s);

  world.rebind(bob);
  alice.publish("chat", "for somebody who has nothing to say");
  const Instant begin = world.now;
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 1; }, 10s));

  EXPECT_LE(world.now - begin, Limits().heartbeat_interval + 100ms);
  EXPECT_EQ(bob.connected.size(), 1U);
}

}  // namespace
}  // namespace orzatty::link::test
