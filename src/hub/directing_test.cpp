#include "hub/directing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/hub_for_test.h"

namespace orzatty::hub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

CorrelationId id(std::uint8_t number) {
  CorrelationId id;
  id.bytes[0] = std::byte{number};
  return id;
}

// A message frame, of a request when it has an id.
void append_frame(Bytes& frames, std::string_view text, std::optional<CorrelationId> asked = {}) {
  std::array<std::byte, wire::kMessageHeaderSizeMax> header;
  const auto size = wire::encode_message_header(
      header, MessageType::kRaw, {.correlation = asked, .wants_reply = asked.has_value()},
      text.size());
  frames.insert(frames.end(), header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size));
  const BytesView payload = bytes_of(text);
  frames.insert(frames.end(), payload.begin(), payload.end());
}

// Alice asks on "time", and Bob is subscribed to it.
class RequestsAndReplies : public testing::Test {
 protected:
  void ask(StreamKey stream, std::uint8_t number, MessageAttributes attributes = {}) {
    attributes.correlation = id(number);
    attributes.wants_reply = true;
    alice.send(stream, "what time is it?", attributes);
    world.run();
  }
  void reply(Client& who, StreamKey stream, std::uint8_t number, std::string_view text) {
    who.send(stream, text, {.correlation = id(number)});
    world.run();
  }
  static std::vector<ErrorCode> codes(const Client& client) {
    std::vector<ErrorCode> codes;
    for (const wire::Reject& reject : client.rejects) {
      codes.insert(codes.end(), reject.to - reject.from, reject.code);
    }
    return codes;
  }

  World world{{.limits = {.session_retention = 2s, .request_count_max = 3},
               .rules = {},
               .channel_default = {}}};
  Client& alice = world.connect("alice");
  Client& bob = world.connect("bob");
  StreamKey asked = alice.open_publication("time");
  StreamKey replies = bob.open_publication("$reply");
};

// spec: REQUEST-5
TEST_F(RequestsAndReplies, AReplyReachesTheSessionThatAskedWithTheIdentityOfWhoReplied) {
  bob.subscribe("time");
  Client& carol = world.connect("carol");
  carol.subscribe("time");
  world.run();

  ask(asked, 7);
  reply(bob, replies, 7, "noon");
  world.settle();

  EXPECT_THAT(bob.texts(), ElementsAre("what time is it?"));
  EXPECT_THAT(alice.replies, ElementsAre(Replied{id(7), "bob", "noon"}));
  EXPECT_THAT(carol.direct, IsEmpty());
  EXPECT_EQ(bob.acknowledged().size(), 1U);
  EXPECT_THAT(bob.rejects, IsEmpty());
  EXPECT_EQ(world.hub.counters().handed_over, 1U);
}

// spec: REQUEST-2
TEST_F(RequestsAndReplies, ARequestThatNobodyCouldAnswerIsRefusedAndNotStored) {
  alice.send(asked, "before");
  ask(asked, 7);
  alice.send(asked, "behind");
  world.settle();

  EXPECT_THAT(codes(alice), ElementsAre(ErrorCode::kNoResponder));
  bob.subscribe("time", StartPosition::start());
  world.run();
  EXPECT_THAT(bob.texts(), ElementsAre("before", "behind"));
  ask(asked, 8);
  EXPECT_EQ(bob.texts().size(), 3U) << "now somebody is there";
}

// spec: REQUEST-4
TEST_F(RequestsAndReplies, OfTwoRepliesTheFirstWinsAndTheOtherIsToldSo) {
  Client& carol = world.connect("carol");
  carol.subscribe("time");
  bob.subscribe("time");
  world.run();
  ask(asked, 7);

  reply(bob, replies, 7, "noon");
  reply(carol, carol.open_publication("$reply", 0, 3), 7, "midnight");
  reply(bob, replies, 7, "noon again");

  EXPECT_THAT(alice.replies, ElementsAre(Replied{id(7), "bob", "noon"}));
  EXPECT_THAT(codes(carol), ElementsAre(ErrorCode::kNotAwaited));
  EXPECT_THAT(codes(bob), ElementsAre(ErrorCode::kNotAwaited));
}

// spec: REQUEST-4
TEST_F(RequestsAndReplies, WhoWasNotGivenTheRequestCannotReplyAlthoughItKnowsTheId) {
  bob.subscribe("time");
  Client& mallory = world.connect("mallory");
  mallory.subscribe("elsewhere");
  const StreamKey forged = mallory.open_publication("$reply", 0, 3);
  world.run();
  ask(asked, 7);

  reply(mallory, forged, 7, "a lie");
  mallory.subscribe("time");  // from behind the request: but then its id is not in what it sees
  reply(mallory, forged, 8, "a guess");

  EXPECT_THAT(codes(mallory), ElementsAre(ErrorCode::kNotAwaited, ErrorCode::kNotAwaited));
  EXPECT_THAT(alice.replies, IsEmpty());
  reply(bob, replies, 7, "noon");
  EXPECT_EQ(alice.replies.size(), 1U) << "it is still waited for";
}

// spec: REQUEST-4
TEST_F(RequestsAndReplies, WhoIsGivenTheRequestAfterItCameBackMayReply) {
  bob.subscribe("time");
  Client& carol = world.connect("carol");
  carol.subscribe("time");
  world.run();
  world.cut(carol);
  ask(asked, 7);

  Client& back = world.connect(carol.hello_to_return());
  world.run();
  reply(back, back.open_publication("$reply", 0, 3), 7, "noon");

  EXPECT_THAT(alice.replies, ElementsAre(Replied{id(7), "carol", "noon"}));
}

// spec: REQUEST-2
TEST_F(RequestsAndReplies, ARequestIsKeptForAResponderWhoseConnectionBrokeWhileItsSessionWaits) {
  bob.subscribe("*");
  world.run();
  world.cut(bob);

  ask(asked, 7);
  ask(alice.open_publication("new", 0, 2), 8);
  ask(alice.open_publication("not.there", 0, 2), 9);
  EXPECT_THAT(codes(alice), ElementsAre(ErrorCode::kNoResponder)) << "only of the last";
  Client& back = world.connect(bob.hello_to_return());
  world.run();
  const StreamKey replying = back.open_publication("$reply", 0, 3);
  reply(back, replying, 7, "noon");
  reply(back, replying, 8, "news");

  EXPECT_THAT(alice.replies,
              ElementsAre(Replied{id(7), "bob", "noon"}, Replied{id(8), "bob", "news"}));
}

// spec: REQUEST-2
TEST_F(RequestsAndReplies, ARequestIsRefusedWhenTheSessionOfItsResponderIsGone) {
  bob.subscribe("time");
  world.run();
  world.cut(bob);
  world.pass(2s);

  ask(asked, 7);

  EXPECT_THAT(codes(alice), ElementsAre(ErrorCode::kNoResponder));
}

// spec: REQUEST-1
TEST_F(RequestsAndReplies, AMessageThatNamesItsSenderOrWantsAReplyWithoutAnIdClosesItsSession) {
  bob.subscribe("time");
  world.run();
  bob.send(replies, "noon", {.correlation = id(7), .sender = "alice"});
  alice.send(asked, "what time is it?", {.wants_reply = true});
  world.run();

  ASSERT_TRUE(alice.closed_by_hub && bob.closed_by_hub);
  EXPECT_EQ(alice.closed_by_hub->code, ErrorCode::kFrameMalformed);
  EXPECT_EQ(bob.closed_by_hub->code, ErrorCode::kFrameMalformed);
}

// spec: REQUEST-3
TEST_F(RequestsAndReplies, AnIdThatIsWaitedForIsNotTakenFromAnotherAndASessionWaitsForSoManyOnly) {
  bob.subscribe("time");
  Client& mallory = world.connect("mallory");
  world.run();
  ask(asked, 7);

  mallory.send(mallory.open_publication("time", 0, 3), "mine",
               {.correlation = id(7), .wants_reply = true});
  world.run();
  for (std::uint8_t number = 8; number <= 10; ++number) ask(asked, number);

  EXPECT_THAT(codes(mallory), ElementsAre(ErrorCode::kNotAuthorised));
  EXPECT_THAT(codes(alice), ElementsAre(ErrorCode::kLimitExceeded));
  reply(bob, replies, 7, "noon");
  EXPECT_EQ(alice.replies.size(), 1U);
}

// spec: REQUEST-4
TEST_F(RequestsAndReplies, AReplyAfterTheTimeToLiveOfItsRequestIsRefused) {
  bob.subscribe("time");
  world.run();
  ask(asked, 7, {.time_to_live = 100ms});
  ask(asked, 8, {.time_to_live = std::chrono::milliseconds((std::int64_t{1} << 62) - 1)});
  world.pass(100ms);

  reply(bob, replies, 7, "noon");
  reply(bob, replies, 8, "noon");

  EXPECT_THAT(codes(bob), ElementsAre(ErrorCode::kNotAwaited));
  EXPECT_THAT(alice.replies, ElementsAre(Replied{id(8), "bob", "noon"}));
}

// spec: REQUEST-7
TEST_F(RequestsAndReplies, AReplyToARequestThatWasWithdrawnIsRefused) {
  bob.subscribe("time");
  world.run();
  ask(asked, 7);
  ask(asked, 8);

  alice.session.cancel(id(7));
  bob.session.cancel(id(8));  // not its own
  world.run();
  reply(bob, replies, 7, "noon");
  reply(bob, replies, 8, "noon");

  EXPECT_THAT(codes(bob), ElementsAre(ErrorCode::kNotAwaited));
  EXPECT_EQ(alice.replies.size(), 1U);
}

// spec: REQUEST-4
TEST_F(RequestsAndReplies, AReplyToWhoIsGoneIsRefused) {
  bob.subscribe("time");
  world.run();
  ask(asked, 7);
  alice.session.close(ErrorCode::kNone, "");
  world.run();
  world.cut(alice);

  reply(bob, replies, 7, "noon");

  EXPECT_THAT(codes(bob), ElementsAre(ErrorCode::kNotAwaited));
}

TEST_F(RequestsAndReplies, AmongOtherMessagesOfOneRunEachHasItsOwnFateAndPlace) {
  bob.subscribe("time");
  world.run();
  Bytes frames;
  append_frame(frames, "0");
  append_frame(frames, "1");
  append_frame(frames, "2", id(7));
  append_frame(frames, "3", id(7));
  append_frame(frames, "4", id(8));
  append_frame(frames, "5");
  Bytes run;
  wire::encode(wire::Run{.first = 0, .size = frames.size(), .nonce = 9}, run);
  run.insert(run.end(), frames.begin(), frames.end());
  alice.write(asked, run);
  world.settle();

  EXPECT_THAT(bob.texts(), ElementsAre("0", "1", "2", "4", "5"));
  EXPECT_THAT(codes(alice), ElementsAre(ErrorCode::kNotAuthorised));
  const auto offsets = alice.acknowledged();
  ASSERT_EQ(offsets.size(), 5U);
  EXPECT_EQ(offsets.at(5).first, 4U);
  reply(bob, replies, 8, "four");
  reply(bob, replies, 7, "two");
  EXPECT_THAT(alice.replies,
              ElementsAre(Replied{id(8), "bob", "four"}, Replied{id(7), "bob", "two"}));
}

// Whether one request more fits where there is room for one, once the session of the first is gone.
bool fits_behind_one_that_is_gone(Limits limits) {
  limits.hub_request_count_max = 1;
  World world({.limits = limits, .rules = {}, .channel_default = {}});
  Client& first = world.connect("first");
  Client& second = world.connect("second");
  second.subscribe("time");
  world.run();
  first.send(first.open_publication("time"), "?", {.correlation = id(1), .wants_reply = true});
  const StreamKey stream = second.open_publication("time", 0, 3);
  world.run();
  second.send(stream, "?", {.correlation = id(2), .wants_reply = true});
  world.run();
  EXPECT_EQ(second.rejects.size(), 1U);

  world.cut(first);
  world.pass(limits.session_retention);
  second.send(stream, "?", {.correlation = id(3), .wants_reply = true});
  world.settle();
  return second.acknowledged().contains(1);
}

// spec: REQUEST-4
TEST(RequestsOfOneSession, MakeRoomForOthersWhenItIsGone) {
  EXPECT_TRUE(fits_behind_one_that_is_gone({.session_retention = 1s})) << "it waited too long";
  EXPECT_TRUE(
      fits_behind_one_that_is_gone({.session_retention = 1s, .session_retained_size_max = 1}))
      << "it held too much to wait";
}

TEST_F(RequestsAndReplies, ARequestThatThereIsNoMemoryForIsNotWaitedFor) {
  World small(config_of({.retention = {.count = 0, .bytes = 0}, .slow_policy = SlowPolicy::kWait},
                        {.request_count_max = 1, .hub_size_max = 200 * 1024}));
  Client& asking = small.connect("asking");
  small.connect("reading").subscribe("time");
  small.run();
  const StreamKey stream = asking.open_publication("time");
  const std::string large(50'000, 'x');
  for (int i = 0; i < 10; ++i) asking.send(stream, large);
  small.settle();
  const std::size_t rejected = codes(asking).size();
  ASSERT_GT(rejected, 0U);

  asking.send(stream, large, {.correlation = id(1), .wants_reply = true});
  asking.send(stream, "small", {.correlation = id(2), .wants_reply = true});
  small.settle();

  EXPECT_EQ(codes(asking).size(), rejected + 1);
  EXPECT_EQ(codes(asking).back(), ErrorCode::kOverloaded);
}

// spec: REQUEST-5
TEST_F(RequestsAndReplies, AReplyWaitsForARequesterWhoseConnectionBroke) {
  bob.subscribe("time");
  world.run();
  ask(asked, 7);
  world.cut(alice);
  reply(bob, replies, 7, "noon");

  Client& back = world.connect(alice.hello_to_return());
  world.run();

  EXPECT_TRUE(back.welcome->resumed);
  EXPECT_THAT(back.replies, ElementsAre(Replied{id(7), "bob", "noon"}));
  EXPECT_THAT(bob.rejects, IsEmpty());
}

// spec: PUBLISH-2, REQUEST-4
TEST_F(RequestsAndReplies, AReplyThatIsSentAgainAfterABrokenConnectionIsNotHandedOnAgain) {
  bob.subscribe("time");
  world.run();
  ask(asked, 7);
  reply(bob, replies, 7, "noon");
  world.cut(bob);

  Client& back = world.connect(bob.hello_to_return());
  const StreamKey again = back.open_publication("$reply");
  reply(back, again, 7, "noon");
  world.settle();

  EXPECT_EQ(alice.replies.size(), 1U);
  EXPECT_TRUE(back.acknowledged().at(0).second) << "a duplicate, accepted before";
  EXPECT_THAT(back.rejects, IsEmpty());
}

// spec: REQUEST-4
TEST_F(RequestsAndReplies, AWildcardThatReadsAChannelSinceItsLastReplyMayAnswerThere) {
  const SubscriptionId subscription = bob.subscribe(">");
  world.run();
  ask(asked, 7);
  reply(bob, replies, 7, "noon");
  const StreamKey later = alice.open_publication("later", 0, 3);
  world.run();
  ask(later, 8);

  reply(bob, replies, 8, "night");
  ask(later, 9);
  bob.unsubscribe(subscription);
  world.run();
  reply(bob, replies, 9, "gone");

  EXPECT_EQ(alice.replies.size(), 2U);
  EXPECT_THAT(codes(bob), ElementsAre(ErrorCode::kNotAwaited));
}

// spec: REQUEST-4
TEST_F(RequestsAndReplies, ARequestWhoseSubscriberLeftIsNotAnsweredByIt) {
  const SubscriptionId subscription = bob.subscribe("time");
  world.run();
  ask(asked, 7);
  bob.unsubscribe(subscription);
  world.run();

  reply(bob, replies, 7, "noon");

  EXPECT_THAT(codes(bob), ElementsAre(ErrorCode::kNotAwaited));
}

}  // namespace
}  // namespace orzatty::hub::test
