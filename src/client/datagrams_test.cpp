// Mode datagram in the client: what leaves and its fate, what is handed on and what is told missing.
#include <gtest/gtest.h>

#include "client/client_for_test.h"
#include "wire/datagram.h"

namespace orzatty::client {
namespace {

using session::test::frame;
using session::test::joined;
using std::chrono::milliseconds;

const ChannelName kChannel = ChannelName::of(1);

class DatagramsTest : public test::ClientTest {
 protected:
  PublicationId publish() {
    return engine_->publish(kChannel, {.mode = DeliveryMode::kDatagram});
  }
  void send() {
    take_all();
    drain();
  }
  // Takes every datagram that is offered, as packets do.
  void take_all() {
    engine_->flush(now_);
    while (const auto offer = engine_->sends().offer(engine_->source())) {
      ASSERT_TRUE(offer->datagram);
      Bytes bytes;
      for (const BytesView span : offer->bytes()) bytes = joined({bytes, span});
      engine_->source().datagram_taken(offer->stream);
      engine_->sends().datagram_taken(offer->stream, bytes.size());
      engine_->datagram_acked(*offer->datagram, milliseconds(1), now_);
      left_.push_back(std::move(bytes));
    }
  }
  // The last one that left.
  [[nodiscard]] wire::PublishDatagram sent() const {
    return *wire::decode_publish_datagram(left_.back());
  }
  // The server's side of a subscription: its stream, and a datagram of it.
  void introduce(bool with_producer = true) {
    Bytes bytes = joined({frame(wire::Deliver{subscription_}),
                          frame(wire::Alias{ChannelAlias(0), ChannelEpoch(1), Offset(10), kChannel,
                                            DeliveryMode::kDatagram})});
    if (with_producer) bytes = joined({bytes, frame(wire::Producer{ProducerAlias(0), {}, "bob"})});
    stream(bytes);
  }
  void stream(BytesView bytes) {
    engine_->handle_stream(session::RemoteStream(3), bytes, session::Fin::kNo, now_);
    drain();
  }
  void datagram(std::uint64_t offset, std::initializer_list<std::string_view> texts) {
    wire::DatagramHeader header;
    const std::size_t size = wire::encode_header(
        wire::DeliverDatagram{subscription_, ChannelAlias(0), ProducerAlias(0), Offset(offset), 0, {}},
        header);
    Bytes bytes = copy_of(BytesView(header).first(size));
    for (const std::string_view text : texts) {
      bytes = joined({bytes, session::test::message(text)});
    }
    engine_->handle_datagram(bytes, now_);
    drain();
  }
  void subscribe() {
    subscription_ = engine_->subscribe(ChannelPattern::exactly(kChannel), StartPosition::live());
  }
  // "10-12 lost" for each gap, "x" for each message, in the order in which they were told.
  [[nodiscard]] std::string told() const {
    std::string text;
    for (const EngineOutput& output : outputs_) {
      if (const auto* missed = std::get_if<Missed>(&output)) {
        text += '[' + std::to_string(missed->gap.from.value()) + '-' +
                std::to_string(missed->gap.to.value()) + ' ' +
                std::string(name(missed->gap.reason)) + ']';
      } else if (const auto* delivered = std::get_if<Delivered>(&output)) {
        text += std::string(delivered->count, 'x');
      }
    }
    return text;
  }

  SubscriptionId subscription_;
  std::vector<Bytes> left_;  // datagrams
};

// spec: DATAGRAM-1
TEST_F(DatagramsTest, HaveTheirFateWhenTheyAreInAPacketAndSmallOnesShareADatagram) {
  const PublicationId publication = publish();
  connect();
  append(publication, 3);
  EXPECT_TRUE(settled(Fate::kHandedToNetwork).empty());

  send();

  EXPECT_EQ(settled(Fate::kHandedToNetwork), (std::vector<std::uint64_t>{0, 1, 2}));
  ASSERT_EQ(left_.size(), 1U);
  EXPECT_EQ(sent().publication, publication);
  EXPECT_EQ(sent().first, Sequence(0));
  EXPECT_EQ(sent().count, 3U);
  EXPECT_TRUE(engine_->settled());
  EXPECT_EQ(engine_->outbox(publication).waiting(), 0U);
}

// spec: DATAGRAM-1
TEST_F(DatagramsTest, AreNotSentAgainOnAnotherConnection) {
  const PublicationId publication = publish();
  connect();
  append(publication, 2);
  send();
  lose();
  wait_for_retry();
  connect();
  append(publication, 1);

  send();

  EXPECT_EQ(settled(Fate::kHandedToNetwork), (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_EQ(server_.prefaces.back().next, Sequence(2));
  EXPECT_EQ(left_.size(), 2U);
  EXPECT_EQ(sent().first, Sequence(2));
  EXPECT_EQ(sent().count, 1U);
}

// spec: DATAGRAM-3
TEST_F(DatagramsTest, AreNeverLargerThanTheSmallestPacketCarries) {
  const PublicationId publication = publish();
  connect();
  for (const std::size_t size : {1100U, 1100U, 10U, 600U, 500U, 700U}) {
    ASSERT_TRUE(engine_->outbox(publication).append(MessageType::kRaw, Bytes(size)));
  }

  send();

  for (const Bytes& one : left_) EXPECT_LE(one.size(), wire::kDatagramSizeMax);
  EXPECT_EQ(settled(Fate::kHandedToNetwork).size(), 6U);
  EXPECT_GE(left_.size(), 4U);
}

// spec: DATAGRAM-1, DEADLINE-1
TEST_F(DatagramsTest, ThatExpireBeforeTheyLeaveAreToldSoAndSentToNobody) {
  const PublicationId publication = publish();
  connect();
  append_timed(publication, 2, milliseconds(10));
  append(publication, 1);
  now_ += milliseconds(20);

  send();

  EXPECT_EQ(settled(Fate::kExpired), (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(settled(Fate::kHandedToNetwork), (std::vector<std::uint64_t>{2}));
  EXPECT_EQ(sent().first, Sequence(2));
  talk();
  EXPECT_TRUE(server_.skips.empty());
}

TEST_F(DatagramsTest, HaveTheirFatesToldInTheOrderOfTheirSequences) {
  const PublicationId publication = publish();
  connect();
  append(publication, 1);
  take_all();
  append_timed(publication, 2, milliseconds(10));
  now_ += milliseconds(20);

  engine_->flush(now_);
  drain();

  ASSERT_EQ(settled_.size(), 2U);
  EXPECT_EQ(settled_[0].fate, Fate::kHandedToNetwork);
  EXPECT_EQ(settled_[1].fate, Fate::kExpired);
}

// spec: DATAGRAM-9
TEST_F(DatagramsTest, ThatTheServersConnectionDoesNotTakeAreRejected) {
  const PublicationId publication = publish();
  connect();
  append(publication, 2);
  engine_->flush(now_);
  const auto offer = engine_->sends().offer(engine_->source());
  ASSERT_TRUE(offer && offer->datagram);

  engine_->source().datagram_refused(offer->stream);

  EXPECT_FALSE(engine_->sends().offer(engine_->source()));
  drain();
  EXPECT_EQ(settled(Fate::kRejected), (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(settled_.back().code, ErrorCode::kModeUnsupported);
}

// spec: DATAGRAM-5
TEST_F(DatagramsTest, OfARefusedPublicationAreRejectedAsTheyCome) {
  const PublicationId publication = publish();
  connect();
  append(publication, 1);
  send();
  server_.session->rejected(publication, Sequence(1), Sequence(wire::kVarintMax),
                            ErrorCode::kFenced, "newer");
  talk();
  append(publication, 2);
  send();

  EXPECT_EQ(settled(Fate::kHandedToNetwork), (std::vector<std::uint64_t>{0}));
  EXPECT_EQ(settled(Fate::kRejected), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(settled_.back().code, ErrorCode::kFenced);
  EXPECT_EQ(left_.size(), 1U);
}

TEST_F(DatagramsTest, LeaveNothingBehindWhenTheirPublicationIsRetired) {
  const PublicationId publication = publish();
  connect();
  append(publication, 5);
  engine_->retire(publication);
  send();
  talk();

  EXPECT_EQ(settled(Fate::kHandedToNetwork).size(), 5U);
  EXPECT_EQ(server_.ended_publications.size(), 1U);
}

// spec: DATAGRAM-7
TEST_F(DatagramsTest, ThatAreMissingAreToldBeforeWhatComesBehindThem) {
  subscribe();
  connect();
  introduce();

  datagram(10, {"a"});
  datagram(13, {"d", "e"});
  datagram(11, {"b"});
  datagram(14, {"e", "f"});

  EXPECT_EQ(told(), "x[11-13 lost]xxx");
  EXPECT_EQ(delivered_.back(), std::string(kChannel.text()) + "/bob/f");
}

// spec: DATAGRAM-6, DATAGRAM-7
TEST_F(DatagramsTest, ThatTheServerCallsLostAreToldOnceAndNotWhenTheyHadCome) {
  subscribe();
  connect();
  introduce();
  const auto lost = [](std::uint64_t from, std::uint64_t to, GapReason reason = GapReason::kLost) {
    return frame(wire::GapMark{ChannelAlias(0), Offset(from), Offset(to), reason});
  };

  datagram(10, {"a"});
  stream(lost(10, 11));
  stream(lost(12, 13));
  stream(lost(11, 12));
  stream(lost(15, 20, GapReason::kSlow));

  EXPECT_EQ(told(), "x[11-13 lost][13-15 lost][15-20 slow]");
}

// spec: DATAGRAM-7, SUBSCRIBE-7
TEST_F(DatagramsTest, WhosePublisherIsNotKnownYetAreLost) {
  subscribe();
  connect();
  introduce(false);

  datagram(10, {"whose?"});
  stream(frame(wire::Producer{ProducerAlias(0), {}, "bob"}));
  datagram(11, {"bob's"});

  EXPECT_EQ(told(), "[10-11 lost]x");
}

// spec: DATAGRAM-7
TEST_F(DatagramsTest, BeforeTheirChannelIsIntroducedAreLost) {
  subscribe();
  connect();

  datagram(10, {"of what?"});
  introduce();
  datagram(11, {"known"});

  EXPECT_EQ(told(), "[10-11 lost]x");
}

// spec: DATAGRAM-3
TEST_F(DatagramsTest, ThatAreMalformedCloseTheConnection) {
  subscribe();
  connect();

  engine_->handle_datagram(Bytes(1), now_);
  drain();

  EXPECT_EQ(closed_->code, ErrorCode::kFrameTruncated);
}

TEST_F(DatagramsTest, TakeThePositionOfWhatWasHandledBack) {
  subscribe();
  connect();
  introduce();
  datagram(10, {"a", "b"});
  now_ += milliseconds(50);
  talk();

  EXPECT_EQ(server_.consumed, 12U);
}

}  // namespace
}  // namespace orzatty::client
