// A server against strangers that speak QUIC but keep no rule above it, and against its own
// clients.
#include "link/server_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/channel.h"
#include "link/world_for_test.h"
#include "wire/ended.h"
#include "wire/hello.h"
#include "wire/ping.h"
#include "wire/publish.h"
#include "wire/subscribe.h"

namespace orzatty::link::test {
namespace {

using quic::StreamId;
using quic::StreamKind;
using testing::HasSubstr;

template <class Frame>
Bytes frame(const Frame& value) {
  Bytes out;
  encode(value, out);
  return out;
}

Bytes hello(std::string_view token) {
  wire::Hello hello;
  hello.versions = {1};
  hello.token = copy_of(bytes_of(token));
  return frame(hello);
}

// A world with one stranger whose handshake is complete and whose control stream is open.
class ServerEngineTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.run_until([&] { return stranger_.established; }, 1s));
    control_ = *stranger_.open(StreamKind::kBidirectional);
  }
  void join() {
    stranger_.send(control_, hello(token_of("stranger")));
    ASSERT_TRUE(world_.run_until([&] { return !stranger_.received[control_].empty(); }, 1s));
    world_.run_for(100ms);
  }
  [[nodiscard]] bool closed_with(ErrorCode code, Duration at_most = 1s) {
    if (!world_.run_until([&] { return stranger_.closed.has_value(); }, at_most)) return false;
    return stranger_.closed->origin == quic::CloseOrigin::kPeer &&
           stranger_.closed->code == static_cast<std::uint64_t>(code);
  }
  [[nodiscard]] Bytes publication() const {
    return frame(wire::Publish{.publication = PublicationId(1),
                               .producer = {},
                               .epoch = ProducerEpoch(0),
                               .next = Sequence(0),
                               .channel = channel("chat")});
  }

  World world_;
  Stranger& stranger_ = world_.stranger();
  StreamId control_;
  // Of publications, and what comes and goes.
  const std::uint32_t stream_count_ =
      Limits{}.publication_count_max + Limits{}.passing_stream_count_max;
};

// spec: TRANSPORT-4
TEST_F(ServerEngineTest, BeforeItsWelcomeAStrangerHasOneStreamAndAfterwardsThoseOfPublications) {
  EXPECT_FALSE(stranger_.open(StreamKind::kUnidirectional).has_value());
  EXPECT_FALSE(stranger_.open(StreamKind::kBidirectional).has_value());

  join();

  EXPECT_FALSE(stranger_.open(StreamKind::kBidirectional).has_value());
  for (std::uint32_t i = 0; i < stream_count_; ++i) {
    ASSERT_TRUE(stranger_.open(StreamKind::kUnidirectional).has_value()) << i;
  }
  EXPECT_FALSE(stranger_.open(StreamKind::kUnidirectional).has_value());
}

// spec: TRANSPORT-4, SESSION-5
TEST_F(ServerEngineTest, AStrangerThatIsRefusedIsGrantedNothing) {
  stranger_.send(control_, hello("wrong"));

  ASSERT_TRUE(closed_with(ErrorCode::kAuthenticationFailed));
  EXPECT_FALSE(stranger_.open(StreamKind::kUnidirectional).has_value());
  EXPECT_TRUE(stranger_.received[control_].empty());
  EXPECT_TRUE(world_.joined.empty());
}

// spec: SESSION-1, SESSION-6
TEST_F(ServerEngineTest, WhatIsSaidBeforeHelloHasNoEffectAndEndsTheConnection) {
  Bytes bytes = frame(wire::Subscribe{.subscription = SubscriptionId(1),
                                      .pattern = *ChannelPattern::parse(">"),
                                      .start = StartPosition::start(),
                                      .positions = {}});
  const Bytes late = hello(token_of("stranger"));
  bytes.insert(bytes.end(), late.begin(), late.end());
  stranger_.send(control_, bytes);

  ASSERT_TRUE(closed_with(ErrorCode::kFrameUnexpected));
  EXPECT_TRUE(world_.joined.empty());
  EXPECT_EQ(world_.server->hub().counters().subscriptions, 0U);
}

// spec: SESSION-3
TEST_F(ServerEngineTest, AStrangerThatSaysNothingIsClosedAfterTheTimeForHelloAndNotBefore) {
  world_.run_for(14900ms);
  EXPECT_FALSE(stranger_.closed.has_value());

  EXPECT_TRUE(closed_with(ErrorCode::kHelloTimeout, 200ms));
  world_.run_for(5s);
  EXPECT_EQ(world_.server->connection_count(), 0U);
}

// spec: SESSION-13
TEST_F(ServerEngineTest, TheEndOfTheControlStreamEndsTheSession) {
  join();

  stranger_.send(control_, {}, quic::Fin::kYes);

  EXPECT_TRUE(closed_with(ErrorCode::kStreamUnexpected));
}

// spec: SESSION-13
TEST_F(ServerEngineTest, AResetOfTheControlStreamEndsTheSessionLikeItsEnd) {
  join();

  stranger_.connection().reset_stream(control_, 0);

  EXPECT_TRUE(closed_with(ErrorCode::kStreamUnexpected));
}

// Both ways of the stream are over while the credit of its last bytes was not given back.
TEST_F(ServerEngineTest, AControlStreamThatIsRefusedAndThenCutOffHarmsNobodyElse) {
  Client& alice = world_.client("alice");
  const Bytes bytes = hello(token_of("stranger"));
  stranger_.send(control_, BytesView(bytes).first(5));
  world_.run_for(100ms);
  stranger_.connection().stop_stream(control_, 0);
  world_.run_for(100ms);

  // Both arrive in one turn.
  stranger_.send(control_, BytesView(bytes).subspan(5, 5));
  world_.run_for(0ms);
  stranger_.connection().reset_stream(control_, 0);

  EXPECT_TRUE(closed_with(ErrorCode::kStreamUnexpected));
  alice.publish("chat", "still here");
  EXPECT_TRUE(world_.run_until([&] { return alice.settled(); }, 1s));
}

TEST_F(ServerEngineTest, AControlStreamThatIsRefusedAndThenEndedHarmsNobodyElse) {
  Client& alice = world_.client("alice");
  join();
  stranger_.connection().stop_stream(control_, 0);
  world_.run_for(100ms);

  stranger_.send(control_, frame(wire::Ping{}), quic::Fin::kYes);

  EXPECT_TRUE(closed_with(ErrorCode::kStreamUnexpected));
  alice.publish("chat", "still here");
  EXPECT_TRUE(world_.run_until([&] { return alice.settled(); }, 1s));
}

// spec: STREAM-10
TEST_F(ServerEngineTest, APublicationThatIsCutOffEndsTheSession) {
  join();
  const StreamId stream = *stranger_.open(StreamKind::kUnidirectional);
  stranger_.send(stream, publication());
  world_.run_for(100ms);

  stranger_.connection().reset_stream(stream, 0);

  EXPECT_TRUE(closed_with(ErrorCode::kStreamUnexpected));
}

TEST_F(ServerEngineTest, APublicationThatEndsMakesRoomForAnother) {
  join();
  std::optional<StreamId> last;
  for (std::uint32_t i = 0; i < stream_count_; ++i) {
    last = stranger_.open(StreamKind::kUnidirectional);
  }
  ASSERT_FALSE(stranger_.open(StreamKind::kUnidirectional).has_value());

  stranger_.send(*last, publication(), quic::Fin::kYes);
  world_.run_for(1s);

  EXPECT_FALSE(stranger_.closed.has_value());
  EXPECT_TRUE(stranger_.open(StreamKind::kUnidirectional).has_value());
  EXPECT_FALSE(stranger_.open(StreamKind::kUnidirectional).has_value());
}

TEST_F(ServerEngineTest, ADeliveryThatIsRefusedByItsReceiverEndsItsSessionAlone) {
  Client& alice = world_.client("alice");
  Client& bob = world_.client("bob");
  bob.subscribe("chat");
  join();
  const auto subscribe = [&](std::uint64_t number) {
    stranger_.send(control_, frame(wire::Subscribe{.subscription = SubscriptionId(number),
                                                   .pattern = *ChannelPattern::parse("chat"),
                                                   .start = StartPosition::start(),
                                                   .positions = {}}));
  };
  subscribe(1);
  alice.publish("chat", "one");
  ASSERT_TRUE(world_.run_until([&] { return stranger_.received.size() == 2; }, 1s));

  stranger_.connection().stop_stream(stranger_.received.rbegin()->first, 0);
  for (std::uint64_t number = 2; number < 20; ++number) subscribe(number);
  for (const std::string& text : numbered("", 200)) alice.publish("chat", text);

  EXPECT_TRUE(closed_with(ErrorCode::kStreamUnexpected, 5s));
  EXPECT_TRUE(world_.run_until([&] { return bob.seen.size() == 201 && alice.settled(); }, 5s));
}

// spec: SESSION-12
TEST_F(ServerEngineTest, WhoBreaksARuleIsToldWhichAndNobodyElseNotices) {
  Client& alice = world_.client("alice");
  Client& bob = world_.client("bob");
  bob.subscribe("chat");
  join();

  stranger_.send(control_, hello(token_of("twice")));
  for (const std::string& text : numbered("", 100)) alice.publish("chat", text);

  ASSERT_TRUE(closed_with(ErrorCode::kFrameUnexpected));
  EXPECT_THAT(stranger_.closed->text, HasSubstr("FRAME_UNEXPECTED"));
  EXPECT_TRUE(world_.run_until([&] { return bob.seen.size() == 100; }, 1s));
  EXPECT_TRUE(alice.disconnected.empty());
  ASSERT_EQ(world_.left.size(), 1U);
  EXPECT_EQ(world_.left.front().identity, "stranger");
}

// It acknowledges whatever it gets, so nothing is in flight: it merely gives no credit for the rest.
TEST_F(ServerEngineTest, ASubscriberThatGivesNoCreditKeepsTheServerBusyUntilItDoes) {
  join();
  stranger_.send(control_, frame(wire::Subscribe{.subscription = SubscriptionId(1),
                                                 .pattern = *ChannelPattern::parse("chat"),
                                                 .start = StartPosition::start(),
                                                 .positions = {}}));
  world_.run_for(100ms);
  EXPECT_FALSE(world_.server->busy());

  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(world_.server->hub().publish(channel("chat"), MessageType::kRaw, Bytes(1'000'000),
                                           world_.now),
              ErrorCode::kNone);
  }
  world_.run_for(2s);

  EXPECT_TRUE(world_.server->busy());
  ASSERT_EQ(world_.server->unsettled_peers().size(), 1U);
  const StreamId delivery = stranger_.received.rbegin()->first;
  EXPECT_LT(stranger_.received[delivery].size(), 2'100'000U);
  stranger_.connection().grant_stream_credit(delivery, 2'000'000);
  EXPECT_TRUE(world_.run_until([&] { return !world_.server->busy(); }, 2s));
  EXPECT_GT(stranger_.received[delivery].size(), 3'000'000U);
}

TEST_F(ServerEngineTest, AnAnswerThatIsQueuedWhenARuleIsBrokenLeavesBeforeTheEnd) {
  join();
  Bytes bytes = frame(wire::Subscribe{.subscription = SubscriptionId(7),
                                      .pattern = *ChannelPattern::parse("chat"),
                                      .start = StartPosition::at(Offset(5)),
                                      .positions = {}});
  const Bytes again = hello(token_of("twice"));
  bytes.insert(bytes.end(), again.begin(), again.end());

  stranger_.send(control_, bytes);

  ASSERT_TRUE(closed_with(ErrorCode::kFrameUnexpected));
  const Bytes ended =
      frame(wire::Ended{SubscriptionId(7), ErrorCode::kStartUnavailable,
                        std::string(advice(ErrorCode::kStartUnavailable))});
  EXPECT_THAT(stranger_.received[control_], testing::EndsWith(std::string(text_of(ended))));
}

TEST_F(ServerEngineTest, WhoLeavesAnswersUnreadIsClosedAfterAMomentNevertheless) {
  join();
  Bytes pings;
  while (pings.size() < 430'000) {
    const Bytes one = frame(wire::Ping{});
    pings.insert(pings.end(), one.begin(), one.end());
  }
  for (int i = 0; i < 5; ++i) {  // more answers than its window takes, but not all at once
    stranger_.send(control_, pings);
    world_.run_for(1s);
  }
  ASSERT_FALSE(stranger_.closed.has_value());

  stranger_.send(control_, hello(token_of("twice")));

  world_.run_for(180ms);
  EXPECT_FALSE(stranger_.closed.has_value());
  EXPECT_TRUE(closed_with(ErrorCode::kFrameUnexpected, 40ms));
}

TEST_F(ServerEngineTest, ClosingAllTellsEverybodyWhatWasQueuedForIt) {
  Client& alice = world_.client("alice");
  join();
  ASSERT_TRUE(world_.run_until([&] { return alice.connected.size() == 1; }, 1s));

  world_.server->start_draining(1s, "going");
  world_.server->close_all(ErrorCode::kDraining, "DRAINING: gone", world_.now);
  EXPECT_TRUE(world_.server->closing());

  ASSERT_TRUE(closed_with(ErrorCode::kDraining));
  EXPECT_FALSE(world_.server->closing());
  EXPECT_THAT(stranger_.received[control_], HasSubstr("going"));
  EXPECT_EQ(alice.drained, std::vector<std::string>{"going"});
}

// spec: CREDIT-3
TEST(ServerEngine, ASubscriberThatIsWaitedForHoldsBackItsPublisherAndNoOther) {
  World world({.limits = {.stream_window = 256 * 1024, .stream_window_max = 256 * 1024}});
  Client& alice = world.client("alice");
  Client& carol = world.client("carol");
  Client& sleeper = world.client("sleeper");
  Client& bob = world.client("bob");
  sleeper.subscribe("slow");
  bob.subscribe("fast");
  ASSERT_TRUE(world.run_until([&] { return sleeper.ready == 1 && bob.ready == 1; }));
  const std::string body(1000, 'x');

  sleeper.asleep = true;
  for (int i = 0; i < 8000; ++i) {
    alice.publish("slow", body);
    carol.publish("fast", body);
    alice.publish("fast", body);
  }
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 16'000 && carol.settled(); }, 4s));
  const std::uint64_t stored = world.server->hub().counters().messages_in - 16'000;

  // What the subscriber's window took, what may wait for it, what the publisher's window let in.
  const std::uint64_t window = 256 * 1024;
  EXPECT_GT(stored * body.size(), hub::Channel::kBacklogMin);
  EXPECT_LT(stored * body.size(), hub::Channel::kBacklogMin + 2 * window + 64 * 1024);
  EXPECT_FALSE(alice.settled());
  sleeper.asleep = false;
  EXPECT_TRUE(world.run_until([&] { return sleeper.seen.size() == 8000 && alice.settled(); }, 9s));
  EXPECT_TRUE(sleeper.missed.empty());
}

TEST(ServerEngine, ASinkThatIsFullKeepsWhatIsLeftForTheNextTurn) {
  World world;
  Client& alice = world.client("alice");
  alice.subscribe("chat");
  ASSERT_TRUE(world.run_until([&] { return alice.ready == 1; }));
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(
        world.server->hub().publish(channel("chat"), MessageType::kRaw, Bytes(1000), world.now),
        ErrorCode::kNone);
  }

  Packets none;
  none.count_max = 0;
  EXPECT_TRUE(world.server->write(none, world.now));
  EXPECT_TRUE(none.take().empty());
  Packets one;
  one.count_max = 1;
  EXPECT_TRUE(world.server->write(one, world.now));
  EXPECT_EQ(one.take().size(), 1U);  // and it is lost

  EXPECT_TRUE(world.run_until([&] { return alice.seen.size() == 10; }, 5s));
  EXPECT_EQ(alice.seen.back().offset, 9U);
}

}  // namespace
}  // namespace orzatty::link::test
