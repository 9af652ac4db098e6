#include "session/client_session.h"

#include <gtest/gtest.h>

#include "session/session_for_test.h"

namespace orzatty::session {
namespace {

using std::chrono::milliseconds;
using test::frame;
using test::joined;

constexpr RemoteStream kStream{3};

// Both sides, and what each of them was told.
class ClientSessionTest : public testing::Test {
 protected:
  ClientSessionTest() {
    client_.core().sends().opened(kControlKey);
    server_.core().sends().opened(kControlKey);
  }
  // Lets everything arrive that either side has to say.
  void talk() {
    bool moved = true;
    while (moved) {
      client_.flush(now_);
      server_.flush(now_);
      moved = up_.carry(client_.core().sends(), source_,
                        [&](RemoteStream stream, BytesView bytes, Fin fin) {
                          if (stream.value() == 0) {
                            server_.handle_control(bytes, fin, now_);
                          } else {
                            server_.handle_stream(stream, bytes, fin, now_);
                          }
                          drain_server();
                        });
      moved |= down_.carry(server_.core().sends(), none_,
                           [&](RemoteStream, BytesView bytes, Fin fin) { control(bytes, fin); });
    }
  }
  void open() {
    talk();
    server_.welcome(test::welcome(limits_), now_);
    talk();
    ASSERT_TRUE(client_.open());
    told_.clear();
    asked_.clear();
  }
  void control(BytesView bytes, Fin fin = Fin::kNo) {
    client_.handle_control(bytes, fin, now_);
    drain();
  }
  void stream(BytesView bytes, Fin fin = Fin::kNo, RemoteStream id = kStream) {
    client_.handle_stream(id, bytes, fin, now_);
    drain();
  }
  void drain() {
    while (auto output = client_.poll(now_)) {
      if (const auto* ack = std::get_if<AckReceived>(&*output)) acks_.push_back(*ack->ack);
      if (const auto* messages = std::get_if<DeliveryMessages>(&*output)) {
        if (consuming_) client_.consumed(*messages, messages->first + messages->count, now_);
      }
      if (const auto* messages = std::get_if<DirectMessages>(&*output)) {
        direct_channel_ = messages->channel;
        if (consuming_) client_.consumed(*messages);
      }
      if (const auto* closed = std::get_if<CloseTransport>(&*output)) closed_ = *closed;
      told_.push_back(std::move(*output));
    }
  }
  void drain_server() {
    while (auto output = server_.poll()) asked_.push_back(std::move(*output));
  }
  ErrorCode code() const { return closed_ ? closed_->code : ErrorCode::kNone; }
  static Bytes delivery(BytesView frames) {
    return joined(
        {frame(wire::Deliver{SubscriptionId(4)}),
         frame(wire::Alias{ChannelAlias(0), ChannelEpoch(77), Offset(10), ChannelName::of(1), {}}),
         frame(wire::Producer{ProducerAlias(0), {}, "bob"}),
         frame(wire::Run{ChannelAlias(0), ProducerAlias(0), 10, frames.size(), 42}), frames});
  }

  Limits limits_;
  Instant now_{};
  ClientSession client_{limits_, test::hello(), 1, now_};
  ServerSession server_{limits_, 2, now_};
  test::OutboxSource source_{client_.core().scratch()};
  test::NoSource none_;
  test::Pipe up_;
  test::Pipe down_;
  std::vector<ClientOutput> told_;
  std::vector<ServerOutput> asked_;
  std::vector<wire::Ack> acks_;
  std::string direct_channel_;
  std::optional<CloseTransport> closed_;
  bool consuming_ = true;
};

TEST_F(ClientSessionTest, SaysHelloByItselfAndIsOpenWithWelcome) {
  talk();
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(std::get<HelloReceived>(asked_[0]).hello, test::hello());
  EXPECT_FALSE(client_.open());

  server_.welcome(test::welcome(limits_), now_);
  talk();
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(std::get<Welcomed>(told_[0]).welcome.identity, "alice");
  EXPECT_TRUE(client_.open());
}

TEST_F(ClientSessionTest, UnderstandsItsPeerHoweverTheBytesAreSplit) {
  up_.piece_max = down_.piece_max = 1;
  open();
  client_.subscribe({.subscription = SubscriptionId(4),
                     .pattern = ChannelPattern::exactly(ChannelName::of(1)),
                     .start = StartPosition::latest(),
                     .positions = {}});
  client_.unsubscribe(SubscriptionId(4));
  talk();
  server_.subscribed(SubscriptionId(4), 7);
  server_.ended(SubscriptionId(4), ErrorCode::kNone, "");
  talk();

  ASSERT_EQ(asked_.size(), 2U);
  EXPECT_EQ(std::get<SubscribeRequested>(asked_[0]).subscribe.start, StartPosition::latest());
  EXPECT_EQ(std::get<UnsubscribeRequested>(asked_[1]).subscription, SubscriptionId(4));
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(std::get<SubscribedReceived>(told_[0]).subscription, SubscriptionId(4));
  EXPECT_EQ(std::get<SubscribedReceived>(told_[0]).channel_count, 7U);
  EXPECT_EQ(std::get<EndedReceived>(told_[1]).ended.code, ErrorCode::kNone);
}

TEST_F(ClientSessionTest, PublishesAndHearsWhatWasAccepted) {
  open();
  Outbox outbox(1 << 20);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(outbox.append(MessageType::kText, bytes_of("hello")));
  source_.carry(client_.publish({.publication = PublicationId(3),
                                 .producer = {},
                                 .epoch = {},
                                 .next = outbox.sent(),
                                 .channel = ChannelName::of(1)}),
                outbox);
  talk();
  std::uint64_t count = 0;
  for (const ServerOutput& output : asked_) {
    if (const auto* messages = std::get_if<PublicationMessages>(&output)) count += messages->count;
  }
  EXPECT_EQ(count, 100U);

  server_.accepted({PublicationId(3), Sequence(0), 100, Offset(50), false}, 700, 7, now_);
  now_ += limits_.ack_delay;
  talk();
  ASSERT_EQ(acks_.size(), 1U);
  EXPECT_EQ(acks_[0].nonce, 7U);
  EXPECT_EQ(acks_[0].runs.at(0).first_offset, Offset(50));
}

// spec: SESSION-7
TEST_F(ClientSessionTest, ClosesAServerThatDoesNotBeginWithWelcome) {
  control(frame(wire::Ping{}));
  EXPECT_EQ(code(), ErrorCode::kFrameUnexpected);
}

// spec: SESSION-7
TEST_F(ClientSessionTest, ClosesAServerThatSaysWelcomeTwice) {
  open();
  control(frame(test::welcome(limits_)));
  EXPECT_EQ(code(), ErrorCode::kFrameUnexpected);
}

// spec: SESSION-9
TEST_F(ClientSessionTest, GivesUpAServerThatNeverSaysWelcomeWithoutAskingIt) {
  talk();
  EXPECT_EQ(client_.next_timeout(), now_ + limits_.dead_after);
  now_ += limits_.dead_after - milliseconds(1);
  client_.handle_timeout(now_);
  talk();
  EXPECT_EQ(asked_.size(), 1U);  // HELLO, and no PING
  now_ += milliseconds(1);
  client_.handle_timeout(now_);
  drain();
  EXPECT_EQ(code(), ErrorCode::kPeerSilent);
}

// spec: SESSION-8, SESSION-9
TEST_F(ClientSessionTest, KeepsToTheTimesOfWelcome) {
  talk();
  wire::Welcome welcome = test::welcome(limits_);
  welcome.heartbeat_interval = milliseconds(200);
  welcome.dead_after = milliseconds(500);
  control(frame(welcome));
  EXPECT_EQ(client_.next_timeout(), now_ + milliseconds(200));
  now_ += milliseconds(500);
  client_.handle_timeout(now_);
  drain();
  EXPECT_EQ(code(), ErrorCode::kPeerSilent);
}

// spec: SESSION-8
TEST_F(ClientSessionTest, StaysAliveByHeartbeatsAloneAndDiesWithoutThem) {
  open();
  for (int i = 0; i < 100; ++i) {
    now_ += limits_.heartbeat_interval;
    client_.handle_timeout(now_);
    server_.handle_timeout(now_);
    talk();
    drain();
    drain_server();
    ASSERT_TRUE(client_.open() && server_.open());
  }
  now_ += limits_.dead_after;
  client_.handle_timeout(now_);
  drain();
  EXPECT_EQ(code(), ErrorCode::kPeerSilent);
}

TEST_F(ClientSessionTest, CountsTheAnswersToItsOwnPingsOnly) {
  open();
  control(frame(wire::Pong{}));
  EXPECT_EQ(client_.core().pongs(), 0U);
  const std::uint64_t first = client_.core().ping();
  const std::uint64_t second = client_.core().ping();
  EXPECT_LT(first, second);
  talk();
  EXPECT_EQ(client_.core().pongs(), second);
}

// spec: SESSION-11
TEST_F(ClientSessionTest, SaysCloseAndTheServerClosesTheTransportWithTheSameCode) {
  open();
  client_.close(ErrorCode::kClosedByUser, "done");
  talk();
  ASSERT_EQ(asked_.size(), 2U);
  EXPECT_EQ(std::get<SessionEnded>(asked_[0]).code, ErrorCode::kClosedByUser);
  EXPECT_EQ(std::get<CloseTransport>(asked_[1]).code, ErrorCode::kClosedByUser);
}

// spec: SESSION-11, ERROR-1
TEST_F(ClientSessionTest, EndsWithTheCodeOfCloseEvenIfItDoesNotKnowIt) {
  open();
  control(frame(wire::Close{static_cast<ErrorCode>(0x999), "x"}), Fin::kYes);
  EXPECT_EQ(code(), static_cast<ErrorCode>(0x999));
}

// spec: SESSION-10
TEST_F(ClientSessionTest, TellsThatTheServerDrains) {
  open();
  server_.drain(milliseconds(1500), "update");
  talk();
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(std::get<DrainReceived>(told_[0]).drain.time_left, milliseconds(1500));
  EXPECT_TRUE(client_.open());
}

// spec: SESSION-13
TEST_F(ClientSessionTest, ClosesWhenTheControlStreamEndsWithoutClose) {
  open();
  control({}, Fin::kYes);
  EXPECT_EQ(code(), ErrorCode::kStreamUnexpected);
}

TEST_F(ClientSessionTest, TellsADeliveryWithItsChannelsProducersMessagesAndGaps) {
  open();
  const Bytes frames = joined({test::message("a"), test::message("b")});
  stream(joined({delivery(frames),
                 frame(wire::GapMark{ChannelAlias(0), Offset(12), Offset(20), GapReason::kSlow})}),
         Fin::kYes);

  ASSERT_EQ(told_.size(), 4U);
  EXPECT_EQ(std::get<ChannelIntroduced>(told_[0]).alias.epoch, ChannelEpoch(77));
  EXPECT_EQ(std::get<ProducerIntroduced>(told_[1]).producer.identity, "bob");
  const auto& messages = std::get<DeliveryMessages>(told_[2]);
  EXPECT_EQ(messages.subscription, SubscriptionId(4));
  EXPECT_EQ(messages.first, Offset(10));
  EXPECT_EQ(messages.count, 2U);
  EXPECT_EQ(std::get<DeliveryGap>(told_[3]).gap, (Gap{Offset(12), Offset(20), GapReason::kSlow}));
}

TEST_F(ClientSessionTest, TellsDirectMessagesByTheirChannel) {
  open();
  const Bytes frames = test::message("for you");
  stream(joined({frame(wire::Direct{ChannelName::of(9)}),
                 frame(wire::Run{{}, {}, 100, frames.size(), 0}), frames}));

  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(std::get<DirectMessages>(told_[0]).first, Sequence(100));
  EXPECT_EQ(direct_channel_, "9");
}

// spec: CREDIT-2
TEST_F(ClientSessionTest, ReturnsExactlyTheBytesThatWereConsumed) {
  open();
  const Bytes frames = joined({test::message("a"), test::message("b")});
  const Bytes all = delivery(frames);
  for (const std::byte& byte : all) stream({&byte, 1});
  std::uint64_t credit = 0;
  for (const Credit& returned : client_.core().credits()) {
    EXPECT_EQ(returned.stream, kStream);
    credit += returned.size;
  }
  EXPECT_EQ(credit, all.size());

  client_.core().credits().clear();
  consuming_ = false;
  stream(delivery(frames), Fin::kNo, RemoteStream(7));
  ASSERT_EQ(client_.core().credits().size(), 1U);
  EXPECT_EQ(client_.core().credits()[0].size, all.size() - frames.size());
}

TEST_F(ClientSessionTest, SaysLazilyHowFarItHasConsumed) {
  open();
  stream(delivery(test::message("a")));
  talk();
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(client_.next_timeout(), now_ + ConsumedCollector::kDelay);

  now_ += ConsumedCollector::kDelay;
  talk();
  ASSERT_EQ(asked_.size(), 1U);
  const wire::Consumed& consumed = std::get<PositionsConsumed>(asked_[0]).consumed;
  EXPECT_EQ(consumed.nonce, 42U);
  EXPECT_EQ(consumed.positions.at(0),
            (wire::ConsumedPosition{SubscriptionId(4), ChannelAlias(0), Offset(11)}));
}

// spec: STREAM-10
TEST_F(ClientSessionTest, ClosesWhenADeliveryIsCutOff) {
  open();
  const Bytes all = delivery(test::message("a"));
  stream(BytesView(all).first(all.size() - 1), Fin::kYes);
  EXPECT_EQ(code(), ErrorCode::kStreamUnexpected);
}

// spec: SESSION-12
TEST_F(ClientSessionTest, ClosesWithTheCodeOfWhatIsWrongInADelivery) {
  open();
  const Bytes frames = test::message("a");
  stream(joined({frame(wire::Deliver{SubscriptionId(4)}),
                 frame(wire::Run{ChannelAlias(5), ProducerAlias(0), 0, frames.size(), 0})}));
  EXPECT_EQ(code(), ErrorCode::kAliasUnknown);
}

TEST_F(ClientSessionTest, RefusesFramesThatAreNotForAClient) {
  open();
  control(frame(test::hello()));
  EXPECT_EQ(code(), ErrorCode::kFrameUnexpected);
}

}  // namespace
}  // namespace orzatty::session
