// Mode datagram in the hub: what it takes, what it drops, and what it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/hub_for_test.h"
#include "wire/datagram.h"

namespace orzatty::hub::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr ChannelConfig kDatagrams{.mode = DeliveryMode::kDatagram, .retention = {}};

Bytes frame_of(std::string_view text, const MessageAttributes& attributes = {}) {
  std::array<std::byte, wire::kMessageHeaderSizeMax> header;
  const auto size = wire::encode_message_header(header, MessageType::kRaw, attributes, text.size());
  return session::test::joined({BytesView(header).first(size), bytes_of(text)});
}

Bytes datagram_of(std::uint64_t publication, std::uint64_t sequence, BytesView frames) {
  wire::DatagramHeader header;
  const std::size_t size = wire::encode_header(
      wire::PublishDatagram{PublicationId(publication), Sequence(sequence), 0, false, {}}, header);
  return session::test::joined({BytesView(header).first(size), frames});
}

class DatagramsTest : public testing::Test {
 protected:
  explicit DatagramsTest(const ChannelConfig& config = kDatagrams) : world(config_of(config)) {}

  StreamKey open(Client& client, std::string_view name = "game", std::uint64_t id = 1,
                 std::uint64_t epoch = 0, DeliveryMode mode = DeliveryMode::kDatagram) {
    const StreamKey stream = client.open_publication({.publication = PublicationId(id),
                                                      .producer = producer_id(1),
                                                      .epoch = ProducerEpoch(epoch),
                                                      .next = {},
                                                      .channel = channel(name),
                                                      .mode = mode});
    world.run();
    return stream;
  }
  void say(Client& client, BytesView datagram) {
    world.hub.handle_datagram(client.peer, datagram, world.now);
    world.drain_hub();
    world.settle();
  }
  void say(Client& client, std::uint64_t sequence, std::string_view text) {
    say(client, datagram_of(1, sequence, frame_of(text)));
  }
  [[nodiscard]] std::uint64_t dropped() const { return world.hub.counters().datagrams_dropped; }
  [[nodiscard]] static ErrorCode closed(const Client& client) {
    return client.closed_by_hub ? client.closed_by_hub->code : ErrorCode::kNone;
  }

  World world;
};

// spec: DATAGRAM-4, DATAGRAM-6
TEST_F(DatagramsTest, OfAnOpenPublicationAreDeliveredAndNotAcknowledged) {
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  bob.subscribe("game");
  open(alice);

  say(alice, 0, "first");
  say(alice, 3, "behind two that were lost");

  EXPECT_THAT(bob.received,
              ElementsAre(Delivered{"game", "alice", "first", 0},
                          Delivered{"game", "alice", "behind two that were lost", 1}));
  EXPECT_THAT(bob.gaps, IsEmpty());
  EXPECT_THAT(alice.acknowledged(), IsEmpty());
  EXPECT_THAT(alice.acks, SizeIs(1)) << "the answer to PUBLISH";
  EXPECT_THAT(bob.datagram_tags, SizeIs(2));
}

// spec: DATAGRAM-4
TEST_F(DatagramsTest, ThatAreLateOrAnOldPublicationsAreDroppedAndCounted) {
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  bob.subscribe("game");
  const StreamKey stream = open(alice);
  say(alice, 5, "five");

  say(alice, 4, "late");
  say(alice, 5, "again");
  say(alice, datagram_of(9, 0, frame_of("of nobody")));
  alice.finish(stream);
  world.settle();
  say(alice, 6, "after the end");

  EXPECT_THAT(bob.texts(), ElementsAre("five"));
  EXPECT_EQ(dropped(), 4U);
  EXPECT_EQ(closed(alice), ErrorCode::kNone);
}

// spec: DATAGRAM-3, SESSION-12
TEST_F(DatagramsTest, ThatAreMalformedCloseTheirSessionAlone) {
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  open(alice);
  const Bytes whole = datagram_of(1, 0, frame_of("cut off"));

  say(alice, BytesView(whole).first(whole.size() - 1));

  EXPECT_EQ(closed(alice), ErrorCode::kFrameTruncated);
  EXPECT_EQ(closed(bob), ErrorCode::kNone);
}

TEST_F(DatagramsTest, WithoutAByteCloseTheirSession) {
  Client& alice = world.connect("alice");

  say(alice, Bytes());

  EXPECT_EQ(closed(alice), ErrorCode::kFrameTruncated);
}

// spec: DATAGRAM-2
TEST_F(DatagramsTest, BeforeAuthenticationHaveNoEffect) {
  const PeerKey stranger = world.hub.open_peer(world.now);

  world.hub.handle_datagram(stranger, bytes_of("garbage"), world.now);
  world.drain_hub();

  EXPECT_TRUE(world.hub.has_peer(stranger));
  EXPECT_EQ(dropped(), 1U);
}

// spec: DATAGRAM-4
TEST_F(DatagramsTest, ThatWantAReplyCloseTheirSession) {
  Client& alice = world.connect("alice");
  open(alice);
  CorrelationId id;
  id.bytes[0] = std::byte{1};

  say(alice, datagram_of(1, 0, frame_of("?", {.correlation = id, .wants_reply = true})));

  EXPECT_EQ(closed(alice), ErrorCode::kFrameMalformed);
}

// spec: DATAGRAM-4
TEST_F(DatagramsTest, DoNotGoWithRunsOrSkipsOfTheirPublication) {
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  const StreamKey of_alice = open(alice);
  const StreamKey of_bob = open(bob);

  alice.send(of_alice, "on the stream");
  bob.skip(of_bob, 3);
  world.settle();

  EXPECT_EQ(closed(alice), ErrorCode::kFrameUnexpected);
  EXPECT_EQ(closed(bob), ErrorCode::kFrameUnexpected);
}

// spec: DATAGRAM-5
TEST_F(DatagramsTest, OfARefusedPublicationAreAnsweredOnceForAll) {
  Client& alice = world.connect("alice");
  open(alice, "$reply");

  ASSERT_THAT(alice.rejects, SizeIs(1));
  EXPECT_EQ(alice.rejects[0].from, Sequence(0));
  EXPECT_EQ(alice.rejects[0].to, Sequence(wire::kVarintMax));
  EXPECT_EQ(alice.rejects[0].code, ErrorCode::kModeUnsupported);
  EXPECT_THAT(alice.acks, IsEmpty());
  say(alice, 0, "nevertheless");
  EXPECT_EQ(dropped(), 1U);
  EXPECT_THAT(alice.rejects, SizeIs(1));
}

// spec: DATAGRAM-5, PUBLISH-3
TEST_F(DatagramsTest, OfAFencedProducerAreRefusedFromTheNextOneOn) {
  Client& alice = world.connect("alice");
  Client& newer = world.connect("alice");
  open(alice);
  say(alice, 0, "stored");
  open(newer, "game", 1, 1);

  say(alice, 1, "too late");
  say(alice, 2, "too late as well");

  ASSERT_THAT(alice.rejects, SizeIs(1));
  EXPECT_EQ(alice.rejects[0].from, Sequence(1));
  EXPECT_EQ(alice.rejects[0].code, ErrorCode::kFenced);
  EXPECT_EQ(dropped(), 2U);
}

// spec: DATAGRAM-5, FATE-3
TEST_F(DatagramsTest, ThatNeverCameHaveNoFate) {
  Client& alice = world.connect("alice");
  open(alice);
  say(alice, 1, "came");
  say(alice, 4, "came too");

  alice.session.ask({.question = 1,
                     .producer = producer_id(1),
                     .epoch = {},
                     .channel = channel("game"),
                     .runs = {{Sequence(0), 6, wire::FateKind::kAsked, 0}}});
  world.settle();

  using enum wire::FateKind;
  ASSERT_THAT(alice.told_fates, SizeIs(1));
  EXPECT_THAT(alice.told_fates[0].runs,
              ElementsAre(wire::FateRun{Sequence(0), 1, kForgotten, 0},
                          wire::FateRun{Sequence(1), 1, kAccepted, 0},
                          wire::FateRun{Sequence(2), 2, kUnknown, 0},
                          wire::FateRun{Sequence(4), 1, kAccepted, 1},
                          wire::FateRun{Sequence(5), 1, kUnknown, 0}));
}

// spec: DATAGRAM-6
TEST_F(DatagramsTest, ThatTheTransportLostAreAGapUnlessALaterOneArrived) {
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  bob.subscribe("game");
  open(alice);
  say(alice, 0, "arrives");
  bob.loses_datagrams = true;
  say(alice, 1, "is lost");
  bob.loses_datagrams = false;
  say(alice, 2, "arrives too");
  bob.loses_datagrams = true;
  say(alice, 3, "is lost at the end");
  ASSERT_THAT(bob.datagram_tags, SizeIs(4));

  world.hub.datagram_acked(bob.peer, bob.datagram_tags[0]);
  world.hub.datagram_acked(bob.peer, bob.datagram_tags[2]);
  world.hub.datagram_lost(bob.peer, bob.datagram_tags[1]);
  world.hub.datagram_lost(bob.peer, bob.datagram_tags[3]);
  world.hub.datagram_lost(bob.peer, bob.datagram_tags[3]);
  world.drain_hub();
  world.settle();

  EXPECT_THAT(bob.gaps, ElementsAre(Missed{"game", 3, 4, GapReason::kLost}));
  EXPECT_EQ(world.hub.counters().datagrams_lost, 2U);
}

// spec: DATAGRAM-8
TEST_F(DatagramsTest, HaveRoomForNoLargerMessageOfAReliablePublisherOrTheServer) {
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  bob.subscribe("game");
  const std::string largest(kDatagramMessageSizeMax, 'x');
  const StreamKey stream = open(alice, "game", 1, 0, DeliveryMode::kReliable);

  alice.send_run(stream, {"a", largest, largest + "y", "b"});
  world.settle();
  EXPECT_EQ(world.publish("game", largest), ErrorCode::kNone);
  EXPECT_EQ(world.publish("game", largest + "y"), ErrorCode::kMessageTooLarge);
  world.settle();

  EXPECT_THAT(bob.texts(), ElementsAre("a", largest, "b", largest));
  ASSERT_THAT(alice.rejects, SizeIs(1));
  EXPECT_EQ(alice.rejects[0].from, Sequence(2));
  EXPECT_EQ(alice.rejects[0].to, Sequence(3));
  EXPECT_EQ(alice.rejects[0].code, ErrorCode::kMessageTooLarge);
}

TEST_F(DatagramsTest, ThatExpiredInTheChannelAreAGap) {
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  open(alice);
  using std::chrono::milliseconds;
  say(alice, datagram_of(1, 0, frame_of("old", {.time_to_live = milliseconds(10)})));
  say(alice, 1, "young");
  world.pass(milliseconds(50));

  bob.subscribe("game", StartPosition::start());
  world.settle();

  EXPECT_THAT(bob.texts(), ElementsAre("young"));
  EXPECT_THAT(bob.gaps, ElementsAre(Missed{"game", 0, 1, GapReason::kExpired}));
}

class DatagramsForTheSlowTest : public DatagramsTest {
 protected:
  DatagramsForTheSlowTest()
      : DatagramsTest({.mode = DeliveryMode::kDatagram,
                       .retention = {.count = 4, .bytes = 0},
                       .slow_policy = SlowPolicy::kWait}) {}
};

// spec: DATAGRAM-8
TEST_F(DatagramsForTheSlowTest, DoNotWaitForThemWhateverThePolicySays) {
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  open(alice);
  bob.subscribe("game");
  world.settle();

  world.hub.sends(bob.peer).blocked(StreamKey(1));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Bytes datagram = datagram_of(1, i, frame_of(std::string(800, 'x')));
    world.hub.handle_datagram(alice.peer, datagram, world.now);
    world.drain_hub();
  }
  EXPECT_EQ(world.hub.counters().messages_in, 1000U);
  EXPECT_LT(world.hub.held_bytes(), 300U * 1024U);
  world.hub.sends(bob.peer).writable(StreamKey(1));
  bob.dirty = true;
  world.settle();

  EXPECT_EQ(bob.received.back().offset, 999U);
  EXPECT_EQ(bob.received.size() + bob.missed_count(), 1000U);
  EXPECT_GT(bob.missed_count(), 900U);
}

}  // namespace
}  // namespace orzatty::hub::test
