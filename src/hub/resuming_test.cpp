// Sessions that outlive their connection.
#include "hub/resuming.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/hub_for_test.h"

namespace orzatty::hub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ErrorCode send_direct(World& world, PeerKey peer, std::string_view name, std::string_view text) {
  const ErrorCode code =
      world.hub.send_direct(peer, channel(name), MessageType::kRaw, bytes_of(text));
  world.drain_hub();
  return code;
}

std::vector<std::string> texts_of(const std::vector<Delivered>& messages) {
  std::vector<std::string> texts;
  for (const Delivered& one : messages) texts.push_back(one.text);
  return texts;
}

// spec: RESUME-1, RESUME-3
TEST(Return, WithItsIdASessionGoesOnWithoutAskingForItsSubscriptions) {
  World world;
  Client& bob = world.connect("bob");
  const SubscriptionId id = bob.subscribe("news");
  world.run();
  world.publish("news", "0");
  world.run();
  world.cut(bob);
  world.publish("news", "1");

  Client& again = world.connect(bob.hello_to_return());
  world.publish("news", "2");
  world.run();

  EXPECT_TRUE(again.welcome->resumed);
  EXPECT_EQ(again.welcome->session, bob.welcome->session);
  EXPECT_THAT(again.welcome->subscriptions, ElementsAre(id));
  EXPECT_THAT(again.texts(), ElementsAre("1", "2"));
  EXPECT_THAT(again.gaps, IsEmpty());
  EXPECT_EQ(world.joined.size(), 1U);
  ASSERT_EQ(world.resumed.size(), 1U);
  EXPECT_EQ(world.resumed[0].was, bob.peer);
  EXPECT_EQ(world.resumed[0].peer, again.peer);
  EXPECT_THAT(world.left, IsEmpty());
  EXPECT_EQ(world.hub.counters().detached, 0U);
  EXPECT_EQ(world.hub.counters().peers, 1U);
}

// spec: RESUME-3
TEST(Return, WithoutPositionsASessionGoesOnAtWhatItsClientSaidThatItConsumed) {
  World world;
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  world.run();
  world.publish("news", "0");
  world.run();
  world.pass(1s);
  bob.stop_reading();
  world.publish("news", "1");
  world.run();
  world.pass(1s);
  world.cut(bob);
  wire::Hello hello = bob.hello_to_return();
  hello.positions.clear();

  Client& again = world.connect(hello);

  EXPECT_THAT(again.texts(), ElementsAre("1"));
}

// spec: RESUME-3, SUBSCRIBE-5
TEST(Return, AWildcardSeesAChannelThatCameMeanwhileFromItsFirstMessage) {
  World world;
  Client& bob = world.connect("bob");
  bob.subscribe("news.*");
  world.run();
  world.cut(bob);
  world.publish("news.a", "0");
  world.publish("news.a", "1");

  Client& again = world.connect(bob.hello_to_return());

  EXPECT_THAT(again.texts(), ElementsAre("0", "1"));
}

// spec: RESUME-3
TEST(Return, WhatTheChannelLetGoOfMeanwhileIsAGap) {
  World world(config_of({.retention = {.count = 1, .bytes = 0}}));
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  world.run();
  world.cut(bob);
  for (const char* text : {"0", "1", "2"}) {
    world.publish("news", text);
    world.pass(1s);
  }

  Client& again = world.connect(bob.hello_to_return());

  EXPECT_THAT(again.gaps, ElementsAre(Missed{"news", 0, 2, GapReason::kRetention}));
  EXPECT_THAT(again.texts(), ElementsAre("2"));
}

// spec: RESUME-3, STREAM-7
TEST(Return, ASubscriptionThatEndedMeanwhileMayBeAskedForAgainButNotOneThatGoesOn) {
  World world;
  Client& bob = world.connect("bob");
  const SubscriptionId first = bob.subscribe("a");
  bob.subscribe("b");
  world.run();
  bob.unsubscribe(first);
  world.run();
  world.cut(bob);

  Client& again = world.connect(bob.hello_to_return());
  EXPECT_THAT(again.welcome->subscriptions, ElementsAre(SubscriptionId(2)));
  again.subscribe("a");
  world.run();
  EXPECT_FALSE(again.closed_by_hub);
  again.subscribe("b");
  world.run();

  ASSERT_TRUE(again.closed_by_hub);
  EXPECT_EQ(again.closed_by_hub->code, ErrorCode::kFrameUnexpected);
}

// spec: RESUME-2
TEST(Return, UnderAnotherIdentityAnIdIsAsUnknownAsOneThatNobodyEverHad) {
  World world;
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  world.run();
  ASSERT_EQ(send_direct(world, bob.peer, "echo", "for bob alone"), ErrorCode::kNone);
  world.cut(bob);
  world.publish("news", "0");
  wire::Hello stolen = bob.hello_to_return();
  stolen.token = copy_of(bytes_of("mallory"));
  wire::Hello unknown = stolen;
  unknown.session->bytes[5] = std::byte{77};

  Client& mallory = world.connect(stolen);
  Client& nobody = world.connect(unknown);
  Client& again = world.connect(bob.hello_to_return());

  wire::Welcome same = *nobody.welcome;
  EXPECT_NE(same.session, mallory.welcome->session);
  same.session = mallory.welcome->session;
  EXPECT_EQ(*mallory.welcome, same);
  EXPECT_FALSE(mallory.welcome->resumed);
  EXPECT_NE(mallory.welcome->session, bob.welcome->session);
  EXPECT_THAT(mallory.texts(), IsEmpty());
  EXPECT_THAT(mallory.direct, IsEmpty());
  EXPECT_TRUE(again.welcome->resumed);
}

// spec: RESUME-2
TEST(Return, AStolenIdDoesNotDisturbTheConnectionThatHasIt) {
  World world;
  Client& bob = world.connect("bob");
  wire::Hello stolen = bob.hello_to_return();
  stolen.token = copy_of(bytes_of("mallory"));

  Client& mallory = world.connect(stolen);

  EXPECT_FALSE(mallory.welcome->resumed);
  EXPECT_FALSE(bob.closed_by_hub);
}

// spec: RESUME-5
TEST(Return, WhileAnOlderConnectionStillHasTheSessionTheNewerOneGetsItAndTheOlderIsFenced) {
  World world;
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  world.run();
  bob.acknowledges = false;
  ASSERT_EQ(send_direct(world, bob.peer, "echo", "0"), ErrorCode::kNone);
  world.run();

  Client& again = world.connect(bob.hello_to_return());
  world.publish("news", "0");
  ASSERT_EQ(send_direct(world, again.peer, "echo", "1"), ErrorCode::kNone);
  world.run();

  ASSERT_TRUE(bob.closed_by_hub);
  EXPECT_EQ(bob.closed_by_hub->code, ErrorCode::kFenced);
  EXPECT_TRUE(again.welcome->resumed);
  EXPECT_THAT(bob.texts(), IsEmpty());
  EXPECT_THAT(again.texts(), ElementsAre("0"));
  EXPECT_THAT(texts_of(again.direct), ElementsAre("1"));
  // The older transport may hold bytes of the direct log until it is gone, after the newer one.
  world.cut(again);
  world.pass(world.limits.session_retention);
  world.cut(bob);
  EXPECT_EQ(world.left.size(), 1U);
}

// spec: RESUME-4
TEST(Return, WhatWasSentToItAloneGoesOnAtTheFirstMessageThatItHasNotHad) {
  World world;
  Client& bob = world.connect("bob");
  bob.acknowledges = false;  // its transport has them all, but the server does not know
  for (const char* text : {"0", "1", "2"}) {
    ASSERT_EQ(send_direct(world, bob.peer, "echo", text), ErrorCode::kNone);
    world.run();
  }
  world.cut(bob);
  bob.direct.pop_back();  // it never got that far
  ASSERT_EQ(send_direct(world, bob.peer, "echo", "3"), ErrorCode::kNone);
  ASSERT_EQ(send_direct(world, bob.peer, "other", "a"), ErrorCode::kNone);

  Client& again = world.connect(bob.hello_to_return());
  ASSERT_EQ(send_direct(world, again.peer, "echo", "4"), ErrorCode::kNone);
  world.run();

  EXPECT_THAT(texts_of(again.direct), ElementsAre("2", "3", "a", "4"));
  EXPECT_EQ(again.direct[0].offset, 2U);
  EXPECT_EQ(again.direct.back().offset, 4U);
}

// spec: RESUME-4
TEST(Return, WhatItsTransportAcknowledgedIsNotSentAgain) {
  World world;
  Client& bob = world.connect("bob");
  ASSERT_EQ(send_direct(world, bob.peer, "echo", "0"), ErrorCode::kNone);
  world.run();
  world.cut(bob);
  wire::Hello hello = bob.hello_to_return();
  hello.directs.clear();

  Client& again = world.connect(hello);
  ASSERT_EQ(send_direct(world, again.peer, "echo", "1"), ErrorCode::kNone);
  world.run();

  EXPECT_THAT(texts_of(again.direct), ElementsAre("1"));
  EXPECT_EQ(again.direct[0].offset, 1U) << "the client sees that one is missing";
}

// spec: RESUME-4
TEST(Return, WithADirectPositionThatNobodyCanHaveIsRefused) {
  World world;
  Client& bob = world.connect("bob");
  ASSERT_EQ(send_direct(world, bob.peer, "echo", "0"), ErrorCode::kNone);
  world.run();
  world.cut(bob);
  wire::Hello hello = bob.hello_to_return();
  hello.directs[0].next = Sequence(2);

  Client& again = world.connect(hello);

  ASSERT_TRUE(again.closed_by_hub);
  EXPECT_EQ(again.closed_by_hub->code, ErrorCode::kSequenceInvalid);
}

// spec: RESUME-6
TEST(Return, WelcomeStatesWhatTheServerExpectsOfEachProducer) {
  World world;
  world.hub.handle_channel(channel("endpoint"), 0);
  Client& alice = world.connect("alice");
  alice.send_run(alice.open_publication("news", 5, 1), {"a", "b"});
  alice.send_run(alice.open_publication("endpoint", 0, 2), {"c"});
  world.run();
  world.cut(alice);

  Client& again = world.connect(alice.hello_to_return());

  EXPECT_THAT(again.welcome->producers,
              ElementsAre(wire::WelcomeProducer{producer_id(1), channel("news"), Sequence(7)},
                          wire::WelcomeProducer{producer_id(2), channel("endpoint"), Sequence(1)}));
}

TEST(Retention, OfASessionEndsItAfterItsTimeAndItsPeerHasLeft) {
  World world;
  Client& bob = world.connect("bob");
  world.cut(bob);
  ASSERT_THAT(world.left, IsEmpty());

  world.pass(world.limits.session_retention - 1ns);
  EXPECT_THAT(world.left, IsEmpty());
  world.pass(1ns);

  ASSERT_EQ(world.left.size(), 1U);
  EXPECT_EQ(world.left[0].identity, "bob");
  EXPECT_EQ(world.left[0].peer, bob.peer);
  EXPECT_FALSE(world.connect(bob.hello_to_return()).welcome->resumed);
}

// spec: SESSION-11
TEST(Retention, IsNotForASessionThatEndedByClose) {
  World world;
  Client& bob = world.connect("bob");
  bob.session.close(ErrorCode::kNone, "");
  world.run();
  world.cut(bob);

  EXPECT_THAT(world.detached, IsEmpty());
  EXPECT_EQ(world.left.size(), 1U);
  EXPECT_FALSE(world.connect(bob.hello_to_return()).welcome->resumed);
}

TEST(Retention, IsNotForASessionThatTheServerEnded) {
  World world;
  Client& bob = world.connect("bob");
  Client& carol = world.connect("carol");
  world.cut(carol);

  world.hub.close_peer(bob.peer, ErrorCode::kClosedByUser, "enough", world.now);
  world.hub.close_peer(carol.peer, ErrorCode::kClosedByUser, "enough", world.now);
  world.drain_hub();
  world.cut(bob);

  EXPECT_EQ(world.left.size(), 2U);
  EXPECT_FALSE(world.connect(bob.hello_to_return()).welcome->resumed);
  EXPECT_FALSE(world.connect(carol.hello_to_return()).welcome->resumed);
}

TEST(Retention, OfSessionsIsBoundedByTheirNumberAndTheLongestWaitingGoesFirst) {
  Limits limits;
  limits.session_retained_count_max = 2;
  World world(config_of({}, limits));
  std::vector<Client*> peers;
  for (const char* name : {"a", "b", "c"}) peers.push_back(&world.connect(name));

  for (Client* peer : peers) world.cut(*peer);

  ASSERT_EQ(world.left.size(), 1U);
  EXPECT_EQ(world.left[0].identity, "a");
  EXPECT_EQ(world.hub.counters().detached, 2U);
  EXPECT_TRUE(world.connect(peers[1]->hello_to_return()).welcome->resumed);
}

TEST(Retention, OfASessionIsBoundedByItsSizeWhatIsSentToItMeanwhileIncluded) {
  Limits limits;
  limits.message_size_max = 1000;
  limits.session_retained_size_max = 1500;
  World world(config_of({}, limits));
  Client& bob = world.connect("bob");
  Client& carol = world.connect("carol");
  bob.acknowledges = carol.acknowledges = false;
  const std::string large(900, 'x');
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(send_direct(world, bob.peer, "echo", large), ErrorCode::kNone);
  }
  world.run();

  world.cut(bob);
  world.cut(carol);

  ASSERT_EQ(world.left.size(), 1U) << "it holds too much";
  EXPECT_EQ(world.left[0].identity, "bob");
  EXPECT_EQ(send_direct(world, carol.peer, "echo", large), ErrorCode::kNone);
  EXPECT_EQ(send_direct(world, carol.peer, "echo", large), ErrorCode::kOverloaded);
  EXPECT_THAT(world.hub.waited_for(), ElementsAre("carol"));
  EXPECT_THAT(texts_of(world.connect(carol.hello_to_return()).direct), ElementsAre(large));
  EXPECT_THAT(world.hub.waited_for(), IsEmpty());
}

}  // namespace
}  // namespace orzatty::hub::test
