// Every frame, from its values to bytes and back; what is refused stands in
// spec/vectors/frames.txt.
#include <gtest/gtest.h>

#include <string>

#include "wire/ack.h"
#include "wire/alias.h"
#include "wire/close.h"
#include "wire/consumed.h"
#include "wire/deliver.h"
#include "wire/direct.h"
#include "wire/drain.h"
#include "wire/ended.h"
#include "wire/framer.h"
#include "wire/gap_mark.h"
#include "wire/hello.h"
#include "wire/ping.h"
#include "wire/producer.h"
#include "wire/publish.h"
#include "wire/reject.h"
#include "wire/run.h"
#include "wire/skip.h"
#include "wire/subscribe.h"
#include "wire/subscribed.h"
#include "wire/test_bytes.h"
#include "wire/unsubscribe.h"
#include "wire/varint.h"
#include "wire/welcome.h"

namespace orzatty::wire {
namespace {

template <std::size_t kSize>
std::array<std::byte, kSize> counting_from(int first) {
  std::array<std::byte, kSize> out{};
  for (std::byte& byte : out) byte = static_cast<std::byte>(first++);
  return out;
}

ChannelName channel(std::string_view text) { return ChannelName::parse(text).value(); }
ChannelPattern pattern(std::string_view text) { return ChannelPattern::parse(text).value(); }

// What a framer makes of the frame, through to its body.
template <class X>
Bytes body_of(const X& value, FrameType type) {
  Bytes whole;
  encode(value, whole);
  Framer framer(0, kControlSizeMax);
  framer.feed(whole);
  const auto frame = framer.next();
  EXPECT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->type(), type);
  EXPECT_EQ((*frame)->whole.size(), whole.size());
  return copy_of((*frame)->body);
}

template <class X, class Decode>
void expect_identity(const X& value, FrameType type, Decode decode) {
  const auto decoded = decode(body_of(value, type));
  ASSERT_TRUE(decoded) << decoded.error().where;
  EXPECT_EQ(*decoded, value);
}

TEST(Frames, AHelloComesBackAsItWas) {
  expect_identity(Hello{}, FrameType::kHello, decode_hello);
  expect_identity(Hello{.versions = {1, 2, kVarintMax},
                        .features = 64,
                        .session = SessionId{counting_from<16>(1)},
                        .token = Bytes(kTokenSizeMax, std::byte{7}),
                        .agent = std::string(kAgentSizeMax, 'a'),
                        .positions = {{.subscription = SubscriptionId(0),
                                       .channel = channel("a"),
                                       .epoch = ChannelEpoch(~std::uint64_t{0}),
                                       .next = Offset(kVarintMax)},
                                      {.subscription = SubscriptionId(64),
                                       .channel = channel("quotes.AAPL"),
                                       .epoch = ChannelEpoch(1),
                                       .next = Offset(0)}},
                        .directs = {{.channel = channel("a"), .next = Sequence(0)},
                                    {.channel = channel("b.c"), .next = Sequence(kVarintMax)}}},
                  FrameType::kHello, decode_hello);
}

TEST(Frames, AWelcomeComesBackAsItWas) {
  expect_identity(Welcome{.version = 1,
                          .features = 3,
                          .session = {counting_from<16>(9)},
                          .resumed = true,
                          .identity = "alice",
                          .message_size_max = ~std::uint32_t{0},
                          .publication_count_max = 1024,
                          .heartbeat_interval = std::chrono::milliseconds(1),
                          .dead_after = std::chrono::milliseconds(~std::uint32_t{0}),
                          .producers = {{.producer = {counting_from<16>(2)},
                                         .channel = channel("a.b"),
                                         .next = Sequence(16'384)}},
                          .subscriptions = {SubscriptionId(0), SubscriptionId(kVarintMax)}},
                  FrameType::kWelcome, decode_welcome);
}

TEST(Frames, SubscriptionFramesComeBackAsTheyWere) {
  expect_identity(Subscribe{.subscription = SubscriptionId(7),
                            .pattern = pattern("quotes.*.>"),
                            .start = StartPosition::at(Offset(kVarintMax)),
                            .positions = {{.channel = channel("quotes.a.b"),
                                           .epoch = ChannelEpoch(5),
                                           .next = Offset(63)}}},
                  FrameType::kSubscribe, decode_subscribe);
  expect_identity(Subscribed{SubscriptionId(63), 16'384}, FrameType::kSubscribed, decode_subscribed);
  expect_identity(Unsubscribe{SubscriptionId(64)}, FrameType::kUnsubscribe, decode_unsubscribe);
  expect_identity(Ended{SubscriptionId(1), ErrorCode::kSlowSubscriber, "too slow"},
                  FrameType::kEnded, decode_ended);
}

TEST(Frames, AnAckComesBackAsItWasAndItsMemoryIsUsedAgain) {
  const Ack ack{.nonce = 0xdeadbeef,
                .level = AckLevel::kMemory,
                .runs = {{PublicationId(1), Sequence(0), 0, Offset(0), false},
                         {PublicationId(2), Sequence(kVarintMax - 5), 5, Offset(9), true}}};
  Ack into;
  ASSERT_TRUE(decode_ack(body_of(ack, FrameType::kAck), into));
  EXPECT_EQ(into, ack);

  const AckRun* const memory = into.runs.data();
  ASSERT_TRUE(decode_ack(body_of(Ack{.nonce = 1, .runs = {ack.runs[0]}}, FrameType::kAck), into));
  EXPECT_EQ(into.runs, std::vector{ack.runs[0]});
  EXPECT_EQ(into.runs.data(), memory);
}

TEST(Frames, AConsumedComesBackAsItWas) {
  const Consumed consumed{
      .nonce = 1,
      .positions = {{SubscriptionId(0), ChannelAlias(0), Offset(1)},
                    {SubscriptionId(100), ChannelAlias(70'000), Offset(kVarintMax)}}};
  Consumed into;
  ASSERT_TRUE(decode_consumed(body_of(consumed, FrameType::kConsumed), into));
  EXPECT_EQ(into, consumed);
}

TEST(Frames, SessionFramesComeBackAsTheyWere) {
  expect_identity(Reject{PublicationId(1), Sequence(2), Sequence(3), ErrorCode::kExpired, "late"},
                  FrameType::kReject, decode_reject);
  expect_identity(Ping{counting_from<8>(1)}, FrameType::kPing, decode_ping);
  expect_identity(Pong{counting_from<8>(2)}, FrameType::kPong, decode_pong);
  expect_identity(Drain{std::chrono::milliseconds(10'000), "update"}, FrameType::kDrain,
                  decode_drain);
  expect_identity(Close{ErrorCode::kNone, "grüße"}, FrameType::kClose, decode_close);
}

TEST(Frames, ChannelStreamFramesComeBackAsTheyWere) {
  expect_identity(Publish{PublicationId(1),
                          {counting_from<16>(0)},
                          ProducerEpoch(2),
                          Sequence(3),
                          channel("chat.lobby")},
                  FrameType::kPublish, decode_publish);
  expect_identity(Deliver{SubscriptionId(1)}, FrameType::kDeliver, decode_deliver);
  expect_identity(Direct{channel(std::string(255, 'c'))}, FrameType::kDirect, decode_direct);
  expect_identity(Alias{ChannelAlias(1), ChannelEpoch(2), Offset(3), channel("a"),
                       DeliveryMode::kDatagram},
                  FrameType::kAlias, decode_alias);
  expect_identity(Producer{ProducerAlias(1), {counting_from<16>(4)}, "alice"}, FrameType::kProducer,
                  decode_producer);
  expect_identity(wire::Run{ChannelAlias(1), ProducerAlias(2), 3, kRunSizeMax, 0x01020304},
                  FrameType::kRun, decode_run);
  expect_identity(GapMark{ChannelAlias(1), Offset(2), Offset(3), GapReason::kRefused},
                  FrameType::kGap, decode_gap_mark);
  expect_identity(Skip{Sequence(0), Sequence(kVarintMax), GapReason::kExpired}, FrameType::kSkip,
                  decode_skip);
}

// spec: ERROR-1
TEST(Frames, ACloseWithACodeThatNobodyKnowsIsReadLikeAnyOther) {
  expect_identity(Close{static_cast<ErrorCode>(0xffff'ffff), "?"}, FrameType::kClose, decode_close);
}

// spec: STREAM-4
TEST(Frames, ARunHoldsAtLeastOneByteAndAtMostTwoToTheThirtieth) {
  const auto code_of = [](std::uint64_t size) {
    const auto run = decode_run(body_of(wire::Run{.size = size}, FrameType::kRun));
    return run ? ErrorCode::kNone : run.error().code;
  };
  EXPECT_EQ(code_of(0), ErrorCode::kRangeEmpty);
  EXPECT_EQ(code_of(1), ErrorCode::kNone);
  EXPECT_EQ(code_of(kRunSizeMax), ErrorCode::kNone);
  EXPECT_EQ(code_of(kRunSizeMax + 1), ErrorCode::kFrameTooLarge);
}

// spec: STREAM-8
TEST(Frames, ARangeThatEndsWhereItBeginsIsEmpty) {
  const auto gap = decode_gap_mark(
      body_of(GapMark{ChannelAlias(0), Offset(5), Offset(5), GapReason::kSlow}, FrameType::kGap));
  const auto skip =
      decode_skip(body_of(Skip{Sequence(5), Sequence(4), GapReason::kSlow}, FrameType::kSkip));
  ASSERT_FALSE(gap);
  ASSERT_FALSE(skip);
  EXPECT_EQ(gap.error().code, ErrorCode::kRangeEmpty);
  EXPECT_EQ(skip.error().code, ErrorCode::kRangeEmpty);
}

// spec: FRAME-7
TEST(Frames, EveryCutOfABodyIsTruncatedAndEveryByteMoreIsMalformed) {
  const Hello hello{.versions = {1, 2},
                    .session = SessionId{counting_from<16>(1)},
                    .token = test::bytes("secret"),
                    .agent = "test",
                    .positions = {{.subscription = SubscriptionId(300),
                                   .channel = channel("a.b"),
                                   .epoch = ChannelEpoch(1),
                                   .next = Offset(70'000)}},
                    .directs = {{.channel = channel("echo"), .next = Sequence(300)}}};
  Bytes body = body_of(hello, FrameType::kHello);
  for (std::size_t size = 0; size < body.size(); ++size) {
    const auto cut = decode_hello(BytesView(body).first(size));
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, ErrorCode::kFrameTruncated) << size;
  }
  body.push_back(std::byte{0});
  EXPECT_EQ(decode_hello(body).error().code, ErrorCode::kFrameMalformed);
}

TEST(Frames, AnExplanationThatIsTooLongIsCutWhereACharacterEnds) {
  std::string text(kExplanationSizeMax - 1, 'x');
  text += "ü and more";
  const auto close = decode_close(body_of(Close{ErrorCode::kNone, text}, FrameType::kClose));
  ASSERT_TRUE(close);
  EXPECT_EQ(close->text, std::string(kExplanationSizeMax - 1, 'x'));
}

TEST(Frames, AnExplanationThatIsNotUtf8IsLeftOut) {
  const auto close = decode_close(body_of(Close{ErrorCode::kInternal, "\xff"}, FrameType::kClose));
  ASSERT_TRUE(close);
  EXPECT_EQ(*close, (Close{ErrorCode::kInternal, ""}));
}

TEST(Frames, FramesAreAppendedBehindWhatStandsThere) {
  Bytes out = test::bytes({1, 2, 3});
  encode(Subscribed{SubscriptionId(5), 1}, out);
  encode(Direct{channel(std::string(70, 'c'))}, out);

  EXPECT_EQ(copy_of(BytesView(out).first(7)), test::bytes({1, 2, 3, 0x83, 2, 5, 1}));
  EXPECT_EQ(copy_of(BytesView(out).subspan(7, 5)), test::bytes({0x92, 0x40, 72, 0x40, 70}));
}

}  // namespace
}  // namespace orzatty::wire
