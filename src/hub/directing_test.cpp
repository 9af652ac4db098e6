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

  World world{{.limits = {.request_count_max = 3}, .rules = {}, .channel_default = {}}};
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
