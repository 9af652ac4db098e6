#include "client/subscription.h"

#include <gtest/gtest.h>

#include "wire/frame.h"

namespace orzatty::client {
namespace {

constexpr ChannelEpoch kEpoch{11};

wire::Alias alias(std::uint64_t number, std::string_view channel, std::uint64_t next,
                  ChannelEpoch epoch = kEpoch) {
  return {ChannelAlias(number), epoch, Offset(next), *ChannelName::parse(channel)};
}

class SubscriptionTest : public testing::Test {
 protected:
  ErrorCode advance(std::uint64_t number, std::uint64_t from, std::uint64_t to) {
    const auto advanced = subscription_.advance(ChannelAlias(number), Offset(from), Offset(to));
    if (!advanced) return advanced.error().code;
    known_ = advanced->known;
    return ErrorCode::kNone;
  }
  Subscription subscription_{SubscriptionId(4), *ChannelPattern::parse("a.>"),
                             StartPosition::live(), Limits{}};
  std::uint64_t known_ = 0;
};

TEST_F(SubscriptionTest, AsksFirstForItsStart) {
  const wire::Subscribe request = subscription_.request();
  EXPECT_EQ(request.subscription, SubscriptionId(4));
  EXPECT_EQ(request.start, StartPosition::live());
  EXPECT_TRUE(request.positions.empty());
}

// spec: SUBSCRIBE-2, SUBSCRIBE-3
TEST_F(SubscriptionTest, TakesTheOffsetsOfEachChannelOnceAndInOrder) {
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 10)));
  ASSERT_TRUE(subscription_.introduce(alias(7, "a.y", 0)));

  EXPECT_EQ(advance(0, 10, 20), ErrorCode::kNone);
  EXPECT_EQ(advance(7, 0, 1), ErrorCode::kNone);
  EXPECT_EQ(advance(0, 20, 21), ErrorCode::kNone);
  EXPECT_EQ(advance(0, 20, 21), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(advance(7, 2, 3), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(advance(1, 0, 1), ErrorCode::kAliasUnknown);
}

// spec: SUBSCRIBE-4
TEST_F(SubscriptionTest, AsksAgainWhereItStandsAndForWhatCameMeanwhile) {
  subscription_.confirm(1);
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 10)));
  EXPECT_TRUE(subscription_.become_ready());
  EXPECT_EQ(advance(0, 10, 20), ErrorCode::kNone);
  subscription_.lose();

  const wire::Subscribe request = subscription_.request();
  ASSERT_EQ(request.positions.size(), 1U);
  EXPECT_EQ(request.positions[0],
            (wire::SubscribePosition{*ChannelName::parse("a.x"), kEpoch, Offset(20)}));
  EXPECT_EQ(request.start, StartPosition::at(Offset(0)));
  EXPECT_EQ(advance(0, 20, 21), ErrorCode::kAliasUnknown);  // names are of one connection
}

// spec: SUBSCRIBE-2
TEST_F(SubscriptionTest, IsReadyOnceWithTheLastAliasOrWithTheNumberWhicheverComesLater) {
  EXPECT_FALSE(subscription_.become_ready());
  subscription_.confirm(2);
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 10)));
  EXPECT_FALSE(subscription_.become_ready());
  subscription_.lose();

  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 10)));
  ASSERT_TRUE(subscription_.introduce(alias(1, "a.y", 0)));
  EXPECT_FALSE(subscription_.become_ready()) << "the number was another connection's";
  subscription_.confirm(2);
  EXPECT_TRUE(subscription_.become_ready());
  EXPECT_FALSE(subscription_.become_ready());
}

// spec: SUBSCRIBE-4
TEST_F(SubscriptionTest, HoldsAServerToThePositionThatItWasTold) {
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 10)));
  for (const std::uint64_t elsewhere : {9U, 11U}) {
    subscription_.lose();
    static_cast<void>(subscription_.request());
    const auto introduced = subscription_.introduce(alias(3, "a.x", elsewhere));
    ASSERT_TRUE(introduced);
    EXPECT_FALSE(introduced->reset || !introduced->missed.empty());
    EXPECT_EQ(advance(3, elsewhere, 12), ErrorCode::kSequenceInvalid);
  }
}

TEST_F(SubscriptionTest, BeginsAnewInANewLifeOfAChannel) {
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 10)));
  subscription_.lose();
  static_cast<void>(subscription_.request());

  const auto introduced = subscription_.introduce(alias(0, "a.x", 0, ChannelEpoch(12)));
  ASSERT_TRUE(introduced);
  EXPECT_TRUE(introduced->reset);
  EXPECT_EQ(advance(0, 0, 5), ErrorCode::kNone);
  EXPECT_EQ(subscription_.request().positions.at(0).epoch, ChannelEpoch(12));
}

TEST_F(SubscriptionTest, RefusesNamesThatAreIntroducedTwice) {
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 0)));
  EXPECT_FALSE(subscription_.introduce(alias(0, "a.y", 0)));
  ASSERT_TRUE(subscription_.introduce(wire::Producer{ProducerAlias(3), {}, "bob"}));
  EXPECT_FALSE(subscription_.introduce(wire::Producer{ProducerAlias(3), {}, "eve"}));
  EXPECT_EQ(subscription_.publisher(ProducerAlias(3)), "bob");
}

TEST_F(SubscriptionTest, RefusesMoreChannelsThanItsLimit) {
  Subscription small(SubscriptionId(0), *ChannelPattern::parse(">"), StartPosition::live(),
                     {.subscription_channel_count_max = 2});
  ASSERT_TRUE(small.introduce(alias(0, "a", 0)));
  ASSERT_TRUE(small.introduce(alias(1, "b", 0)));
  const auto third = small.introduce(alias(2, "c", 0));
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::kLimitExceeded);
}

// More channels than one SUBSCRIBE has room for: what was not told is neither lost silently nor
// delivered twice.
class ManyChannelsTest : public SubscriptionTest {
 protected:
  ManyChannelsTest() {
    for (std::uint64_t i = 0; i < 4000; ++i) {
      EXPECT_TRUE(subscription_.introduce(alias(i, "a." + std::to_string(10'000 + i), 100)));
    }
    subscription_.lose();
    request_ = subscription_.request();
  }
  wire::Subscribe request_ = subscription_.request();
  static constexpr std::string_view kUntold = "a.13999";
};

TEST_F(ManyChannelsTest, AsksWithAsManyPositionsAsFitIntoAFrame) {
  Bytes frame;
  wire::encode(request_, frame);
  EXPECT_GT(request_.positions.size(), 1500U);
  EXPECT_LT(frame.size(), wire::kControlSizeMax);
}

TEST_F(ManyChannelsTest, TellsAJumpAheadAsMissed) {
  const auto introduced = subscription_.introduce(alias(0, kUntold, 130));
  ASSERT_TRUE(introduced && introduced->missed.size() == 1);
  EXPECT_EQ(introduced->missed[0], (Gap{Offset(100), Offset(130), GapReason::kRetention}));
  EXPECT_EQ(advance(0, 130, 131), ErrorCode::kNone);
}

TEST_F(ManyChannelsTest, PassesOverWhatIsRepeated) {
  ASSERT_TRUE(subscription_.introduce(alias(0, kUntold, 90)));
  EXPECT_EQ(advance(0, 90, 95), ErrorCode::kNone);
  EXPECT_EQ(known_, 5U);
  EXPECT_EQ(advance(0, 95, 103), ErrorCode::kNone);
  EXPECT_EQ(known_, 5U);
  EXPECT_EQ(advance(0, 103, 104), ErrorCode::kNone);
  EXPECT_EQ(known_, 0U);
  EXPECT_EQ(advance(0, 105, 106), ErrorCode::kSequenceInvalid);
}

class ScatteredTest : public testing::Test {
 protected:
  // "+3": that many of the first are new; "=" they were seen before, "r" the channel began anew.
  std::string arrive(std::uint64_t from, std::uint64_t to, ChannelEpoch epoch = kEpoch) {
    wire::Alias passing = alias(0, "a.x", from);
    passing.epoch = epoch;
    const auto arrived = subscription_.arrive(passing, Offset(from), Offset(to));
    if (!arrived) return std::string(name(arrived.error().code));
    if (arrived->reset) return "r";
    return (arrived->known ? "=" : "+") + std::to_string(arrived->count);
  }
  [[nodiscard]] std::optional<Offset> position() const {
    return subscription_.position(*ChannelName::parse("a.x"));
  }
  Subscription subscription_{
      SubscriptionId(4), *ChannelPattern::parse("a.>"), StartPosition::live(),
      {.subscription_count_max = 2, .passing_stream_count_max = 2}};
};

// spec: SUBSCRIBE-8
TEST_F(ScatteredTest, TakesOffsetsInAnyOrderOnce) {
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 10)));

  EXPECT_EQ(arrive(15, 20), "+5");
  EXPECT_EQ(arrive(10, 12), "+2");
  EXPECT_EQ(position(), Offset(12));
  EXPECT_EQ(arrive(11, 20), "=1");
  EXPECT_EQ(arrive(12, 20), "+3");
  EXPECT_EQ(arrive(15, 20), "=5");
  EXPECT_EQ(position(), Offset(20));
}

// spec: SUBSCRIBE-2, SUBSCRIBE-8
TEST_F(ScatteredTest, TakesWhatComesBeforeItsBeginningIsTold) {
  EXPECT_EQ(arrive(12, 14), "+2");
  EXPECT_EQ(position(), std::nullopt);
  EXPECT_TRUE(subscription_.request().positions.empty());

  const auto introduced = subscription_.introduce(alias(0, "a.x", 10));

  ASSERT_TRUE(introduced);
  EXPECT_TRUE(introduced->missed.empty());
  EXPECT_EQ(position(), Offset(10));
  EXPECT_EQ(arrive(10, 12), "+2");
  EXPECT_EQ(position(), Offset(14));
}

// spec: RESUME-3, SUBSCRIBE-8
TEST_F(ScatteredTest, KnowsOnTheNextConnectionWhatCameAboveAHole) {
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 0)));
  EXPECT_EQ(arrive(3, 5), "+2");
  subscription_.lose();

  EXPECT_EQ(subscription_.request().positions[0].next, Offset(0));
  EXPECT_EQ(arrive(0, 5), "+3");
  EXPECT_EQ(arrive(3, 5), "=2");
}

// spec: SUBSCRIBE-4
TEST_F(ScatteredTest, MissesWhatDidNotComeOfWhatTheServerLeavesOut) {
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 0)));
  EXPECT_EQ(arrive(3, 5), "+2");
  subscription_.lose();

  const auto introduced = subscription_.introduce(alias(0, "a.x", 8));

  ASSERT_TRUE(introduced);
  EXPECT_EQ(introduced->missed,
            (std::vector<Gap>{{Offset(0), Offset(3), GapReason::kRetention},
                              {Offset(5), Offset(8), GapReason::kRetention}}));
}

TEST_F(ScatteredTest, BeginsAnewWhereAPassingStreamIsTheFirstToTellOfANewLife) {
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 10)));
  EXPECT_EQ(arrive(10, 20), "+10");

  EXPECT_EQ(arrive(5, 6, ChannelEpoch(99)), "r");
  EXPECT_EQ(arrive(5, 6, ChannelEpoch(99)), "+1");
  EXPECT_EQ(position(), std::nullopt);
}

// An honest server has no more to say of it; a second reset would be of a life that did not begin.
TEST_F(ScatteredTest, PassesOverALifeThatIsOverAndGoesOnInTheNewOne) {
  constexpr ChannelEpoch kNew(99);
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 10)));
  EXPECT_EQ(arrive(5, 6, kNew), "r");
  EXPECT_EQ(arrive(5, 6, kNew), "+1");

  EXPECT_EQ(arrive(10, 20), "=10");
  EXPECT_EQ(arrive(5, 7, kNew), "=1");
  EXPECT_EQ(arrive(6, 7, kNew), "+1");
}

TEST_F(ScatteredTest, PassesOverALifeThatEndedWhileItWasAway) {
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 10)));
  subscription_.lose();
  wire::Alias anew = alias(0, "a.x", 0);
  anew.epoch = ChannelEpoch(99);
  ASSERT_TRUE(subscription_.introduce(anew)->reset);

  EXPECT_EQ(arrive(10, 20), "=10");
  EXPECT_EQ(position(), Offset(0));
}

// Two servers in turn: what overtakes the first one's ALIAS is of a life that is not over there.
TEST_F(ScatteredTest, TakesALifeOfBeforeUpAgainOnTheNextConnection) {
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 10)));
  EXPECT_EQ(arrive(5, 6, ChannelEpoch(99)), "r");
  subscription_.lose();

  EXPECT_EQ(arrive(10, 20), "r");
  EXPECT_EQ(arrive(10, 20), "+10");
}

TEST_F(ScatteredTest, RefusesMoreHolesThanThereCanBeStreams) {
  ASSERT_TRUE(subscription_.introduce(alias(0, "a.x", 0)));
  for (std::uint64_t hole = 0; hole < 8; ++hole) {
    EXPECT_EQ(arrive(1 + 2 * hole, 2 + 2 * hole), "+1");
  }

  EXPECT_EQ(arrive(17, 18), name(ErrorCode::kLimitExceeded));
}

wire::Alias alias_of_datagrams(std::uint64_t number, std::string_view channel, std::uint64_t next) {
  return {ChannelAlias(number), kEpoch, Offset(next), *ChannelName::parse(channel),
          DeliveryMode::kDatagram};
}

// spec: DATAGRAM-7
TEST_F(SubscriptionTest, OfDatagramsTellsWhatIsMissingAndKnowsWhatIsLate) {
  ASSERT_TRUE(subscription_.introduce(alias_of_datagrams(0, "a.x", 10)));

  const auto ahead = subscription_.advance(ChannelAlias(0), Offset(12), Offset(15));
  const auto late = subscription_.advance(ChannelAlias(0), Offset(10), Offset(12));
  const auto overlapping = subscription_.advance(ChannelAlias(0), Offset(14), Offset(17));

  EXPECT_EQ(ahead->lost, (Gap{Offset(10), Offset(12), GapReason::kLost}));
  EXPECT_EQ(ahead->known, 0U);
  EXPECT_EQ(late->lost, std::nullopt);
  EXPECT_EQ(late->known, 2U);
  EXPECT_EQ(overlapping->known, 1U);
  EXPECT_EQ(advance(0, 17, 18), ErrorCode::kNone);
}

// spec: DATAGRAM-7
TEST_F(SubscriptionTest, TellsDatagramsThatCameBeforeTheirAliasAsLost) {
  subscription_.drop_early(ChannelAlias(0), Offset(12));
  subscription_.drop_early(ChannelAlias(0), Offset(11));
  subscription_.drop_early(ChannelAlias(1), Offset(5));

  const auto one = subscription_.introduce(alias_of_datagrams(0, "a.x", 10));
  const auto other = subscription_.introduce(alias_of_datagrams(1, "a.y", 5));

  EXPECT_EQ(one->missed, (std::vector<Gap>{{Offset(10), Offset(12), GapReason::kLost}}));
  EXPECT_TRUE(other->missed.empty());
  EXPECT_EQ(advance(0, 12, 13), ErrorCode::kNone);
}

}  // namespace
}  // namespace orzatty::client
