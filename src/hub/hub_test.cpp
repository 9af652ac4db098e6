#include "hub/hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/hub_for_test.h"

namespace orzatty::hub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Hub, WelcomesAnAdmittedPeerWithItsIdentityAndTheLimits) {
  Limits limits;
  limits.message_size_max = 1234;
  World world(config_of({}, limits));

  Client& alice = world.connect("alice");

  ASSERT_TRUE(alice.welcome);
  EXPECT_EQ(alice.welcome->version, 1U);
  EXPECT_EQ(alice.welcome->identity, "alice");
  EXPECT_EQ(alice.welcome->message_size_max, 1234U);
  EXPECT_EQ(alice.welcome->features, 0U);
  EXPECT_FALSE(alice.welcome->resumed);
  ASSERT_EQ(world.joined.size(), 1U);
  EXPECT_EQ(world.joined[0].identity, "alice");
  EXPECT_EQ(world.hub.identity(alice.peer), "alice");
}

// spec: SESSION-4
TEST(Hub, ChoosesTheVersionThatItSpeaksOrClosesWithVersionUnsupported) {
  World world;

  Client& newer = world.connect("newer", {7, 1});
  Client& alien = world.connect("alien", {2, 3});

  ASSERT_TRUE(newer.welcome);
  EXPECT_EQ(newer.welcome->version, 1U);
  EXPECT_FALSE(alien.welcome);
  ASSERT_TRUE(alien.closed_by_hub);
  EXPECT_EQ(alien.closed_by_hub->code, ErrorCode::kVersionUnsupported);
  EXPECT_EQ(world.hub.counters().peers, 1U);
}

// spec: SESSION-5
TEST(Hub, RefusesAWrongTokenWithAlwaysTheSameText) {
  World world;
  Client& first = world.connect("wrong");
  PeerKey second = world.hub.open_peer(world.now);
  world.hub.refuse(second, ErrorCode::kAuthenticationFailed, "expired yesterday", world.now);

  const auto told = world.hub.poll();
  const auto* closed = std::get_if<TransportClosed>(&*told);
  ASSERT_NE(closed, nullptr);
  ASSERT_TRUE(first.closed_by_hub);
  EXPECT_EQ(first.closed_by_hub->code, ErrorCode::kAuthenticationFailed);
  EXPECT_EQ(first.closed_by_hub->text, closed->text);
  EXPECT_EQ(first.closed_by_hub->text.find("because"), std::string::npos);
  EXPECT_THAT(world.joined, IsEmpty());
}

// spec: SESSION-6
TEST(Hub, LetsNothingThatComesBeforeWelcomeHaveAnEffect) {
  const Limits limits;
  Hub hub({}, 1, Instant{});
  const PeerKey peer = hub.open_peer(Instant{});
  const Bytes hello = session::test::frame(session::test::hello());
  hub.handle_control(peer, hello, session::Fin::kNo, Instant{});
  auto asked = hub.poll();
  ASSERT_TRUE(asked && std::holds_alternative<AuthenticationNeeded>(*asked));
  const Bytes subscribe =
      session::test::frame(wire::Subscribe{.subscription = SubscriptionId(1),
                                           .pattern = *ChannelPattern::parse("news"),
                                           .start = {},
                                           .positions = {}});

  hub.handle_control(peer, subscribe, session::Fin::kNo, Instant{});
  const auto closed = hub.poll();
  hub.admit(peer, "alice", SessionId{}, Instant{});  // the answer was on its way

  ASSERT_TRUE(closed && std::holds_alternative<TransportClosed>(*closed));
  EXPECT_EQ(std::get_if<TransportClosed>(&*closed)->code, ErrorCode::kFrameUnexpected);
  EXPECT_FALSE(hub.poll().has_value());
  EXPECT_EQ(hub.counters().peers, 0U);
  EXPECT_EQ(hub.counters().channels, 0U);
  EXPECT_EQ(hub.counters().subscriptions, 0U);
  EXPECT_EQ(hub.identity(peer), "");
}

// spec: SESSION-6
TEST(Hub, ClosesAPeerThatPublishesBeforeWelcome) {
  Hub hub({}, 1, Instant{});
  const PeerKey peer = hub.open_peer(Instant{});
  const Bytes publish = session::test::frame(wire::Publish{.publication = PublicationId(1),
                                                           .producer = {},
                                                           .epoch = {},
                                                           .next = {},
                                                           .channel = channel("news")});

  hub.handle_stream(peer, RemoteStream(1), publish, session::Fin::kNo, Instant{});

  const auto closed = hub.poll();
  ASSERT_TRUE(closed && std::holds_alternative<TransportClosed>(*closed));
  EXPECT_EQ(hub.counters().channels, 0U);
}

// spec: SESSION-3
TEST(Hub, ClosesAStrangerWhoSaysNothingByItsTimer) {
  const Limits limits;
  Hub hub({}, 1, Instant{});
  const PeerKey peer = hub.open_peer(Instant{});
  ASSERT_EQ(hub.next_timeout(), Instant{} + limits.hello_timeout);

  hub.handle_timeout(Instant{} + limits.hello_timeout - 1ns);
  EXPECT_FALSE(hub.poll().has_value());
  hub.handle_timeout(Instant{} + limits.hello_timeout);

  const auto closed = hub.poll();
  ASSERT_TRUE(closed && std::holds_alternative<TransportClosed>(*closed));
  EXPECT_EQ(std::get_if<TransportClosed>(&*closed)->code, ErrorCode::kHelloTimeout);
  EXPECT_TRUE(hub.has_peer(peer)) << "until the transport says that it is gone";
}

// spec: SESSION-12
TEST(Hub, ClosesAPeerThatBreaksTheProtocolAndNobodyElseNotices) {
  World world;
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  Client& mallory = world.connect("mallory");
  const StreamKey stream = mallory.open_publication("news");
  mallory.send(stream, "fine");
  world.run();

  const std::array nonsense{std::byte{0x9f}, std::byte{0x00}, std::byte{0x96}, std::byte{0x00}};
  mallory.write(stream, nonsense);
  world.run();
  ASSERT_TRUE(mallory.closed_by_hub);
  world.cut(mallory);
  ASSERT_EQ(world.publish("news", "still there"), ErrorCode::kNone);
  world.run();

  EXPECT_THAT(bob.texts(), ElementsAre("fine", "still there"));
}

TEST(Hub, ForgetsALostPeerButNotWhatItPublished) {
  World world;
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  bob.subscribe(">");
  Client& alice = world.connect("alice");
  alice.send(alice.open_publication("news"), "0");
  world.run();
  EXPECT_EQ(world.hub.counters().subscriptions, 2U);

  world.cut(bob);
  world.cut(alice);

  ASSERT_EQ(world.detached.size(), 2U);
  EXPECT_EQ(world.detached[0].identity, "bob");
  EXPECT_EQ(world.hub.counters().peers, 0U);
  EXPECT_EQ(world.hub.counters().subscriptions, 0U);
  EXPECT_EQ(world.hub.counters().channels, 1U);
  EXPECT_FALSE(world.hub.has_peer(bob.peer));
  Client& carol = world.connect("carol");
  carol.subscribe("news", StartPosition::start());
  world.run();
  EXPECT_THAT(carol.texts(), ElementsAre("0"));
  world.pass(world.limits.session_retention);
  ASSERT_EQ(world.left.size(), 2U);
  EXPECT_EQ(world.left[0].identity, "bob");
}

TEST(Hub, GivesALostPeersPlaceToTheNextOneUnderANewKey) {
  World world;
  Client& alice = world.connect("alice");
  world.cut(alice);

  Client& bob = world.connect("bob");

  EXPECT_EQ(bob.peer.slot, alice.peer.slot);
  EXPECT_NE(bob.peer, alice.peer);
  EXPECT_EQ(world.hub.identity(alice.peer), "");
  EXPECT_EQ(world.hub.identity(bob.peer), "bob");
}

// spec: SESSION-10
TEST(Hub, TellsAllPeersThatItIsGoingAway) {
  World world;
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  world.run();

  world.hub.drain(3s, "maintenance");
  alice.send(alice.open_publication("news"), "what was begun");
  world.drain_hub();
  world.settle();

  for (const Client* client : {&alice, &bob}) {
    ASSERT_TRUE(client->drain);
    EXPECT_EQ(client->drain->time_left, 3s);
    EXPECT_EQ(client->drain->text, "maintenance");
  }
  EXPECT_EQ(alice.acknowledged().size(), 1U);
  EXPECT_THAT(bob.texts(), ElementsAre("what was begun"));
}

TEST(Hub, ListsEachReadyPeerOnce) {
  World world;
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  alice.subscribe("news");
  bob.subscribe("news");
  world.run();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(world.hub.publish(channel("news"), MessageType::kRaw, bytes_of("x"), world.now),
              ErrorCode::kNone);
  }

  std::vector<PeerKey> ready;
  world.hub.take_ready(ready);

  EXPECT_THAT(ready, testing::UnorderedElementsAre(alice.peer, bob.peer));
  ready.clear();
  world.hub.take_ready(ready);
  EXPECT_THAT(ready, IsEmpty());
}

// ---- Channels that nobody uses.

TEST(Channel, ThatNeverHeldAMessageGoesWithItsLastUser) {
  World world;
  Client& bob = world.connect("bob");
  const SubscriptionId id = bob.subscribe("news");
  const StreamKey stream = bob.open_publication("other");
  world.run();
  EXPECT_EQ(world.hub.counters().channels, 2U);

  bob.unsubscribe(id);
  bob.finish(stream);
  world.run();

  EXPECT_EQ(world.hub.counters().channels, 0U);
}

TEST(Channel, ThatIsEmptyIsKeptForAMinuteAsItKnowsItsProducers) {
  World world(config_of(
      {.retention = {.count = 0, .bytes = 0, .age = 1s}, .slow_policy = SlowPolicy::kWait}));
  Client& alice = world.connect("alice");
  alice.send(alice.open_publication("news"), "0");
  world.run();
  world.cut(alice);
  world.pass(2s);
  EXPECT_EQ(world.hub.counters().channels, 1U);

  Client& again = world.connect("alice");
  again.send(again.open_publication("news"), "0");
  world.settle();
  EXPECT_TRUE(again.acknowledged().at(0).second) << "still known";
  world.cut(again);
  world.pass(59s);
  EXPECT_EQ(world.hub.counters().channels, 1U);
  world.pass(2s);

  EXPECT_EQ(world.hub.counters().channels, 0U);
}

TEST(Channel, ThatHoldsMessagesStays) {
  World world;
  ASSERT_EQ(world.publish("news", "0"), ErrorCode::kNone);

  world.pass(1h);

  EXPECT_EQ(world.hub.counters().channels, 1U);
}

TEST(Channel, GetsThePropertiesOfTheFirstRuleThatMatches) {
  HubConfig config;
  config.rules.push_back(
      {*ChannelPattern::parse("quotes.*"), {.retention = {.count = 1, .bytes = 0}}});
  config.rules.push_back({*ChannelPattern::parse(">"), {.retention = {.count = 2, .bytes = 0}}});
  World world(config);
  for (int i = 0; i < 5; ++i) {
    world.pass(1s);
    ASSERT_EQ(world.publish("quotes.a", "x"), ErrorCode::kNone);
    ASSERT_EQ(world.publish("news", "x"), ErrorCode::kNone);
  }

  Client& bob = world.connect("bob");
  bob.subscribe("quotes.a", StartPosition::start());
  bob.subscribe("news", StartPosition::start());
  world.run();

  EXPECT_EQ(std::ranges::count(bob.received, "quotes.a", &Delivered::channel), 1);
  EXPECT_EQ(std::ranges::count(bob.received, "news", &Delivered::channel), 2);
}

}  // namespace
}  // namespace orzatty::hub::test
