#include "session/server_session.h"

#include <gtest/gtest.h>

#include "session/session_for_test.h"
#include "wire/ping.h"
#include "wire/skip.h"
#include "wire/unsubscribe.h"

namespace orzatty::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::frame;
using test::joined;

constexpr RemoteStream kStream{2};

wire::Publish preface(Sequence next = Sequence(0)) {
  return {.publication = PublicationId(3),
          .producer = {},
          .epoch = {},
          .next = next,
          .channel = ChannelName::of(1)};
}

wire::Run run(std::uint64_t first, std::uint64_t size) {
  return {.channel = {}, .producer = {}, .first = first, .size = size, .nonce = 9};
}

class ServerSessionTest : public testing::Test {
 protected:
  ServerSessionTest() { server_.core().sends().opened(kControlKey); }

  void control(BytesView bytes, Fin fin = Fin::kNo) {
    server_.handle_control(bytes, fin, now_);
    drain();
  }
  void stream(BytesView bytes, Fin fin = Fin::kNo, RemoteStream id = kStream) {
    server_.handle_stream(id, bytes, fin, now_);
    drain();
  }
  void open() {
    control(frame(test::hello()));
    server_.welcome(test::welcome(limits_), now_);
    sent();
    seen_.clear();
  }
  void pass(Duration time) {
    now_ += time;
    server_.handle_timeout(now_);
    drain();
  }
  void drain() {
    while (auto output = server_.poll()) {
      if (const auto* closed = std::get_if<CloseTransport>(&*output)) closed_ = *closed;
      if (const auto* messages = std::get_if<PublicationMessages>(&*output)) {
        received_.insert(received_.end(), messages->frames.begin(), messages->frames.end());
      }
      seen_.push_back(std::move(*output));
    }
  }
  template <class Output>
  std::size_t count() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        seen_, [](const auto& output) { return std::holds_alternative<Output>(output); }));
  }
  // The frames that it sent on the control stream since.
  std::vector<wire::FrameType> sent() {
    std::vector<wire::FrameType> types;
    pipe_.carry(server_.core().sends(), none_, [&](RemoteStream, BytesView bytes, Fin) {
      framer_.feed(bytes);
      while (true) {
        const auto frame = framer_.next();
        ASSERT_TRUE(frame);
        if (!*frame) return;
        types.push_back((*frame)->type());
        bodies_.push_back(copy_of((*frame)->body));
      }
    });
    return types;
  }
  std::uint64_t credit() {
    std::uint64_t sum = 0;
    for (const Credit& credit : server_.core().credits()) sum += credit.size;
    return sum;
  }
  ErrorCode code() const { return closed_ ? closed_->code : ErrorCode::kNone; }

  Limits limits_;
  Instant now_{};
  ServerSession server_{limits_, 1, now_};
  std::vector<ServerOutput> seen_;
  Bytes received_;
  std::optional<CloseTransport> closed_;
  test::Pipe pipe_;
  test::NoSource none_;
  wire::Framer framer_{0, 65'536};
  std::vector<Bytes> bodies_;
};

TEST_F(ServerSessionTest, TellsHelloHoweverItWasSplitAndAnswersWelcome) {
  const Bytes hello = frame(test::hello());
  for (const std::byte& byte : hello) control({&byte, 1});

  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(std::get<HelloReceived>(seen_[0]).hello, test::hello());
  EXPECT_FALSE(server_.open());
  EXPECT_TRUE(sent().empty());
  server_.welcome(test::welcome(limits_), now_);
  EXPECT_TRUE(server_.open());
  EXPECT_EQ(sent(), std::vector{wire::FrameType::kWelcome});
}

// spec: SESSION-1
TEST_F(ServerSessionTest, ClosesAPeerThatDoesNotBeginWithHello) {
  control(frame(wire::Unsubscribe{}));
  EXPECT_EQ(code(), ErrorCode::kFrameUnexpected);
}

// spec: SESSION-1
TEST_F(ServerSessionTest, ClosesAPeerThatBeginsWithPing) {
  control(frame(wire::Ping{}));
  EXPECT_EQ(code(), ErrorCode::kFrameUnexpected);
  EXPECT_TRUE(sent().empty());
}

// spec: SESSION-1
TEST_F(ServerSessionTest, ClosesAPeerThatSaysHelloTwice) {
  open();
  control(frame(test::hello()));
  EXPECT_EQ(code(), ErrorCode::kFrameUnexpected);
}

// spec: SESSION-2
TEST_F(ServerSessionTest, RefusesALongHelloOnItsHeader) {
  const Bytes fits = {std::byte{0x80}, std::byte{0x80}, std::byte{0}, std::byte{0x40},
                      std::byte{0}};
  control(fits);
  EXPECT_FALSE(closed_);

  ServerSession other(limits_, 1, now_);
  const Bytes too_long = {std::byte{0x80}, std::byte{0x80}, std::byte{0}, std::byte{0x40},
                          std::byte{1}};
  other.handle_control(too_long, Fin::kNo, now_);
  const auto output = other.poll();
  ASSERT_TRUE(output);
  EXPECT_EQ(std::get<CloseTransport>(*output).code, ErrorCode::kFrameTooLarge);
  EXPECT_LE(other.core().held(), 5U);
}

// spec: SESSION-2
TEST_F(ServerSessionTest, TakesLongerControlFramesAfterWelcome) {
  open();
  const Bytes header = {std::byte{0x88}, std::byte{0x80}, std::byte{0}, std::byte{0xff},
                        std::byte{0xff}};
  control(header);
  EXPECT_FALSE(closed_);
}

// spec: SESSION-3
TEST_F(ServerSessionTest, ClosesAPeerWhoseHelloIsNotCompleteInTime) {
  control(BytesView(frame(test::hello())).first(5));
  EXPECT_EQ(server_.next_timeout(), now_ + limits_.hello_timeout);
  pass(limits_.hello_timeout - milliseconds(1));
  EXPECT_FALSE(closed_);
  pass(milliseconds(1));
  EXPECT_EQ(code(), ErrorCode::kHelloTimeout);
  EXPECT_EQ(server_.next_timeout(), std::nullopt);
}

// spec: SESSION-6
TEST_F(ServerSessionTest, ClosesAPeerThatOpensAStreamBeforeWelcome) {
  control(frame(test::hello()));
  stream(frame(preface()));
  EXPECT_EQ(code(), ErrorCode::kStreamUnexpected);
  EXPECT_EQ(count<PublicationOpened>(), 0U);
}

// spec: SESSION-6
TEST_F(ServerSessionTest, ClosesAPeerThatSaysMoreBeforeWelcome) {
  control(frame(test::hello()));
  control(frame(wire::Unsubscribe{}));
  EXPECT_EQ(code(), ErrorCode::kFrameUnexpected);
  EXPECT_EQ(count<UnsubscribeRequested>(), 0U);
}

// spec: SESSION-6
TEST_F(ServerSessionTest, DoesNotEvenTellAHelloThatBringsMoreAlong) {
  const Bytes hello = frame(test::hello());
  const Bytes more = frame(wire::Unsubscribe{});
  control(joined({hello, BytesView(more).first(1)}));
  EXPECT_EQ(code(), ErrorCode::kFrameUnexpected);
  EXPECT_EQ(count<HelloReceived>(), 0U);
}

// spec: SESSION-6, SESSION-7
TEST_F(ServerSessionTest, SaysNothingBeforeWelcomeHoweverLongTheAnswerTakes) {
  control(frame(test::hello()));
  pass(seconds(60));
  EXPECT_FALSE(closed_);
  EXPECT_TRUE(sent().empty());
}

// spec: SESSION-8
TEST_F(ServerSessionTest, AnswersAPingByAPongWithTheSameBytes) {
  open();
  wire::Ping ping;
  ping.opaque.fill(std::byte{0x5a});
  bodies_.clear();
  control(frame(ping));
  EXPECT_EQ(sent(), std::vector{wire::FrameType::kPong});
  EXPECT_EQ(bodies_.at(0), Bytes(8, std::byte{0x5a}));
  EXPECT_TRUE(seen_.empty());
}

// spec: SESSION-8, SESSION-9
TEST_F(ServerSessionTest, AsksAQuietPeerAndGivesUpADeadOne) {
  open();
  EXPECT_EQ(server_.next_timeout(), now_ + limits_.heartbeat_interval);
  pass(limits_.heartbeat_interval);
  EXPECT_EQ(sent(), std::vector{wire::FrameType::kPing});
  control(frame(wire::Pong{}));
  pass(limits_.dead_after - milliseconds(1));
  EXPECT_FALSE(closed_);
  pass(milliseconds(1));
  EXPECT_EQ(code(), ErrorCode::kPeerSilent);
}

// spec: SESSION-11
TEST_F(ServerSessionTest, EndsWithTheCodeOfClose) {
  open();
  control(frame(wire::Close{ErrorCode::kClosedByUser, "bye"}), Fin::kYes);
  ASSERT_EQ(seen_.size(), 2U);
  EXPECT_EQ(std::get<SessionEnded>(seen_[0]).text, "bye");
  EXPECT_EQ(code(), ErrorCode::kClosedByUser);
  EXPECT_EQ(closed_->text, "bye");
}

// spec: SESSION-13
TEST_F(ServerSessionTest, ClosesWhenTheControlStreamEndsWithoutClose) {
  open();
  control({}, Fin::kYes);
  EXPECT_EQ(code(), ErrorCode::kStreamUnexpected);
}

// spec: SESSION-12
TEST_F(ServerSessionTest, ClosesWithTheCodeOfTheRuleAndAShortText) {
  open();
  const Bytes truncated = {std::byte{0x84}, std::byte{0}};
  control(truncated);
  EXPECT_EQ(code(), ErrorCode::kFrameTruncated);
  EXPECT_EQ(closed_->text, "FRAME_TRUNCATED: UNSUBSCRIBE");
  EXPECT_FALSE(server_.open());
  control(frame(wire::Unsubscribe{}));
  EXPECT_EQ(seen_.size(), 1U);  // nothing after it has any meaning
}

TEST_F(ServerSessionTest, RefusesFramesThatAreNotForAServer) {
  open();
  control(frame(test::welcome(limits_)));
  EXPECT_EQ(code(), ErrorCode::kFrameUnexpected);
}

// spec: ERROR-1
TEST_F(ServerSessionTest, AcceptsACloseWithACodeThatItDoesNotKnow) {
  open();
  control(frame(wire::Close{static_cast<ErrorCode>(0x7777), "new"}));
  EXPECT_EQ(count<SessionEnded>(), 1U);
  EXPECT_EQ(code(), static_cast<ErrorCode>(0x7777));
}

TEST_F(ServerSessionTest, TellsAPublicationItsMessagesItsSkipsAndItsEnd) {
  open();
  const Bytes frames = joined({test::message("one"), test::message("two")});
  stream(joined({frame(preface(Sequence(5))), frame(run(5, frames.size())), frames,
                 frame(wire::Skip{Sequence(7), Sequence(9), GapReason::kExpired})}),
         Fin::kYes);

  ASSERT_EQ(seen_.size(), 4U);
  EXPECT_EQ(std::get<PublicationOpened>(seen_[0]).publish, preface(Sequence(5)));
  const auto& messages = std::get<PublicationMessages>(seen_[1]);
  EXPECT_EQ(messages.publication, PublicationId(3));
  EXPECT_EQ(messages.first, Sequence(5));
  EXPECT_EQ(messages.count, 2U);
  EXPECT_EQ(messages.nonce, 9U);
  EXPECT_EQ(std::get<PublicationSkipped>(seen_[2]).to, Sequence(9));
  EXPECT_EQ(std::get<PublicationClosed>(seen_[3]).publication, PublicationId(3));
  EXPECT_EQ(received_, frames);
}

// spec: STREAM-9
TEST_F(ServerSessionTest, ClosesAPeerWithMoreStreamsThanPublicationsAndPassingOnesMayHave) {
  limits_.publication_count_max = 1;
  limits_.passing_stream_count_max = 1;
  ServerSession server(limits_, 1, now_);
  const Bytes hello = frame(test::hello());
  server.handle_control(hello, Fin::kNo, now_);
  while (server.poll()) continue;
  server.welcome(test::welcome(limits_), now_);
  const Bytes bytes = frame(preface());
  for (const std::uint64_t id : {2U, 6U}) {
    server.handle_stream(RemoteStream(id), bytes, Fin::kNo, now_);
    EXPECT_TRUE(std::holds_alternative<PublicationOpened>(*server.poll()));
    EXPECT_FALSE(server.poll());
  }

  server.handle_stream(RemoteStream(10), bytes, Fin::kNo, now_);
  EXPECT_EQ(std::get<CloseTransport>(*server.poll()).code, ErrorCode::kLimitExceeded);
}

// spec: STREAM-10
TEST_F(ServerSessionTest, ClosesWhenAPublicationIsCutOffInsideARun) {
  open();
  stream(joined({frame(preface()), frame(run(0, 10)), test::message("one")}), Fin::kYes);
  EXPECT_EQ(code(), ErrorCode::kStreamUnexpected);
}

// spec: STREAM-10
TEST_F(ServerSessionTest, ClosesWhenAPublicationIsReset) {
  open();
  server_.handle_stream_reset(kStream);  // never heard of
  drain();
  EXPECT_FALSE(closed_);
  stream(frame(preface()));
  server_.handle_stream_reset(kStream);
  drain();
  EXPECT_EQ(code(), ErrorCode::kStreamUnexpected);
}

// spec: CREDIT-2
TEST_F(ServerSessionTest, ReturnsExactlyTheBytesThatWereConsumed) {
  open();
  Bytes all = frame(preface());
  std::uint64_t next = 0;
  for (int i = 0; i < 20; ++i) {
    const Bytes frames = joined({test::message("a"), test::message("a longer one")});
    all = joined({all, frame(run(next, frames.size())), frames});
    next += 2;
  }
  for (const std::size_t step : {1UL, 3UL, 7UL, 1000UL}) {
    SCOPED_TRACE(step);
    const RemoteStream id(step);
    server_.core().credits().clear();
    std::uint64_t consumed = 0;
    for (BytesView rest = all; !rest.empty();) {
      const BytesView piece = rest.first(std::min(step, rest.size()));
      rest = rest.subspan(piece.size());
      server_.handle_stream(id, piece, Fin::kNo, now_);
      while (const auto output = server_.poll()) {
        const auto* messages = std::get_if<PublicationMessages>(&*output);
        if (messages == nullptr) continue;
        server_.core().consumed(id, messages->frames.size());
        consumed += messages->frames.size();
      }
    }
    EXPECT_EQ(credit(), all.size());
    EXPECT_EQ(consumed, 20U * 17);
  }
}

// spec: CREDIT-2
TEST_F(ServerSessionTest, ReturnsNoCreditForMessagesUntilTheyAreConsumed) {
  open();
  const Bytes frames = test::message("one");
  const Bytes marks = joined({frame(preface()), frame(run(0, frames.size()))});
  stream(joined({marks, frames}));

  EXPECT_EQ(credit(), marks.size());
  server_.core().consumed(kStream, frames.size());
  EXPECT_EQ(credit(), marks.size() + frames.size());
}

TEST_F(ServerSessionTest, ClosesAPeerThatHoldsTooMuchInUnfinishedMessages) {
  limits_.reassembly_size_max = 100'000;
  ServerSession server(limits_, 1, now_);
  const Bytes hello = frame(test::hello());
  server.handle_control(hello, Fin::kNo, now_);
  while (server.poll()) continue;
  server.welcome(test::welcome(limits_), now_);
  const Bytes header = {std::byte{0}, std::byte{0x80}, std::byte{1}, std::byte{0}, std::byte{0}};
  const Bytes begun = joined({frame(preface()), frame(run(0, 70'000)), header, Bytes(40'000)});
  std::optional<ServerOutput> last;
  for (std::uint64_t id = 2; id < 14; id += 4) {
    server.handle_stream(RemoteStream(id), begun, Fin::kNo, now_);
    while (auto output = server.poll()) last = std::move(output);
  }

  ASSERT_TRUE(last && std::holds_alternative<CloseTransport>(*last));
  EXPECT_EQ(std::get<CloseTransport>(*last).code, ErrorCode::kLimitExceeded);
}

TEST_F(ServerSessionTest, ClosesAPeerThatLeavesItsRepliesUnread) {
  open();
  const Bytes ping = frame(wire::Ping{});
  Bytes pings;
  for (int i = 0; i < 1000; ++i) pings.insert(pings.end(), ping.begin(), ping.end());
  for (int i = 0; i < 200 && !closed_; ++i) control(pings);
  EXPECT_EQ(code(), ErrorCode::kLimitExceeded);
}

TEST_F(ServerSessionTest, AcknowledgesLazily) {
  open();
  for (std::uint64_t i = 0; i < 100; ++i) {
    server_.accepted({PublicationId(3), Sequence(i), 1, Offset(i), false}, 64, 1, now_);
    server_.flush(now_);
  }
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(server_.next_timeout(), now_ + limits_.ack_delay);

  bodies_.clear();
  now_ += limits_.ack_delay;
  server_.flush(now_);
  EXPECT_EQ(sent(), std::vector{wire::FrameType::kAck});
  wire::Ack ack;
  ASSERT_TRUE(wire::decode_ack(bodies_.at(0), ack));
  ASSERT_EQ(ack.runs.size(), 1U);
  EXPECT_EQ(ack.runs[0].count, 100U);
}

// spec: PUBLISH-5
TEST_F(ServerSessionTest, RejectsBehindTheAcknowledgementsOfBeforeAndAheadOfLaterOnes) {
  open();
  server_.accepted({PublicationId(3), Sequence(0), 5, Offset(0), false}, 64, 1, now_);
  server_.rejected(PublicationId(3), Sequence(5), Sequence(6), ErrorCode::kRateLimited, "slow");
  server_.accepted({PublicationId(3), Sequence(6), 5, Offset(5), false}, 64, 1, now_);
  server_.flush(now_ + limits_.ack_delay);

  EXPECT_EQ(sent(),
            (std::vector{wire::FrameType::kAck, wire::FrameType::kReject, wire::FrameType::kAck}));
}

// However many runs do not continue each other, no ACK gets too long for a frame.
TEST_F(ServerSessionTest, SplitsAcknowledgementsOfManyRuns) {
  open();
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    server_.accepted({PublicationId(i % 2), Sequence(i / 2), 1, Offset(2 * i), false}, 3, 1, now_);
  }
  bodies_.clear();
  server_.flush(now_ + limits_.ack_delay);

  EXPECT_GT(sent().size(), 100U);
  for (const Bytes& body : bodies_) EXPECT_LT(body.size(), 2'000U);
}

// spec: SESSION-10
TEST_F(ServerSessionTest, TellsThatItDrainsAndClosesWithDraining) {
  open();
  server_.drain(seconds(3), "back soon");
  server_.close(ErrorCode::kDraining, "back soon");
  drain();

  EXPECT_EQ(sent(), std::vector{wire::FrameType::kDrain});
  EXPECT_EQ(code(), ErrorCode::kDraining);
}

}  // namespace
}  // namespace orzatty::session
