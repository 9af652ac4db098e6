#include "client/publication.h"

#include <gtest/gtest.h>

namespace orzatty::client {
namespace {

constexpr PublicationId kId{3};
constexpr Instant kLate{std::chrono::milliseconds(10)};

class PublicationTest : public testing::Test {
 protected:
  explicit PublicationTest(const PublicationOptions& options = {})
      : publication_(kId, {}, ChannelName::of(1), 1 << 20, options) {}
  void send(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      ASSERT_TRUE(publication_.outbox().append(MessageType::kRaw, bytes_of("hello")));
    }
    while (publication_.outbox().has_unsent()) publication_.outbox().fill(queue_, scratch_, 1);
  }
  ErrorCode accept(std::uint64_t from, std::uint64_t to, std::uint64_t offset) {
    return code(
        publication_.accepted({kId, Sequence(from), to - from, Offset(offset), false}, outputs_));
  }
  ErrorCode reject(std::uint64_t from, std::uint64_t to,
                   ErrorCode why = ErrorCode::kRateLimited) {
    return code(publication_.rejected({kId, Sequence(from), Sequence(to), why, "because"},
                                      outputs_));
  }
  static ErrorCode code(const std::expected<void, ProtocolError>& result) {
    return result ? ErrorCode::kNone : result.error().code;
  }
  static char sign_of(Fate fate) {
    switch (fate) {
      case Fate::kAccepted:
        return '+';
      case Fate::kRejected:
        return '!';
      case Fate::kUnknown:
        return '?';
      case Fate::kExpired:
        return 'x';
      case Fate::kSuperseded:
        return 's';
      case Fate::kHandedToNetwork:
        return '>';
    }
    return ' ';
  }
  // That live for 10 ms from time 0, and are not sent.
  void append_timed(std::uint64_t count) {
    const MessageAttributes attributes{.time_to_live = std::chrono::milliseconds(10)};
    for (std::uint64_t i = 0; i < count; ++i) {
      ASSERT_TRUE(publication_.outbox().append(MessageType::kRaw, bytes_of("hello"), attributes,
                                               Instant()));
    }
  }
  // "+0-5@10": accepted, [0, 5), the first at offset 10; "!" is rejected, "?" unknown, "x" expired.
  std::string settled() {
    std::string text;
    while (!outputs_.empty()) {
      const EngineOutput output = outputs_.pop_front();
      const auto& settled = std::get<Settled>(output);
      EXPECT_EQ(settled.publication, kId);
      text += sign_of(settled.fate);
      text += std::to_string(settled.from.value()) + '-' + std::to_string(settled.to.value());
      if (settled.fate == Fate::kAccepted) {
        text += settled.first_offset ? '@' + std::to_string(settled.first_offset->value()) : "@?";
      }
      text += ' ';
    }
    return text;
  }

  session::Scratch scratch_{1 << 20};
  Publication publication_;
  session::SendQueue queue_;
  Outputs outputs_;
};

TEST_F(PublicationTest, TellsNoOffsetOfWhatTheServerKeepsNoLonger) {
  send(5);

  EXPECT_EQ(code(publication_.accepted({kId, Sequence(0), 3, Offset(0), true, true}, outputs_)),
            ErrorCode::kNone);
  EXPECT_EQ(code(publication_.accepted({kId, Sequence(3), 2, Offset(0), true, false}, outputs_)),
            ErrorCode::kNone);

  EXPECT_EQ(settled(), "+0-3@? +3-5@0 ");
}

// spec: PUBLISH-1
TEST_F(PublicationTest, SettlesEachSequenceOnceAndInOrder) {
  send(20);
  EXPECT_EQ(accept(0, 5, 100), ErrorCode::kNone);
  EXPECT_EQ(accept(0, 5, 100), ErrorCode::kNone);
  EXPECT_EQ(accept(3, 10, 103), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+0-5@100 +5-10@105 ");
  EXPECT_FALSE(publication_.settled());

  EXPECT_EQ(accept(10, 20, 200), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+10-20@200 ");
  EXPECT_TRUE(publication_.settled());
  EXPECT_EQ(publication_.outbox().waiting(), 0U);
}

// spec: PUBLISH-5
TEST_F(PublicationTest, SettlesRejectionsBetweenWhatWasAccepted) {
  send(20);
  EXPECT_EQ(accept(0, 5, 0), ErrorCode::kNone);
  EXPECT_EQ(reject(5, 7), ErrorCode::kNone);
  EXPECT_EQ(accept(7, 20, 5), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+0-5@0 !5-7 +7-20@5 ");
}

// spec: PUBLISH-5
TEST_F(PublicationTest, DoesNotKnowTheFateOfWhatTheServerHasForgotten) {
  send(3);
  EXPECT_EQ(accept(0, 1, 0), ErrorCode::kNone);
  EXPECT_EQ(reject(1, 2, ErrorCode::kFateForgotten), ErrorCode::kNone);
  EXPECT_EQ(accept(2, 3, 5), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+0-1@0 ?1-2 +2-3@5 ");
}

// spec: PUBLISH-5
TEST_F(PublicationTest, KeepsRejectionsUntilTheirTurn) {
  send(20);
  EXPECT_EQ(reject(5, 6), ErrorCode::kNone);
  EXPECT_EQ(reject(6, 7), ErrorCode::kNone);
  EXPECT_EQ(reject(19, 20), ErrorCode::kNone);
  EXPECT_EQ(settled(), "");
  EXPECT_EQ(accept(0, 5, 0), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+0-5@0 !5-6 !6-7 ");
  EXPECT_EQ(accept(7, 19, 5), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+7-19@5 !19-20 ");
  EXPECT_TRUE(publication_.settled());
}

// spec: PUBLISH-1, PUBLISH-5
TEST_F(PublicationTest, RefusesAnswersThatMakeNoSense) {
  send(20);
  EXPECT_EQ(accept(0, 21, 0), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(accept(1, 5, 0), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(accept(21, 21, 0), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(reject(20, 21), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(reject(5, 7), ErrorCode::kNone);
  EXPECT_EQ(reject(6, 8), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(accept(0, 6, 0), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(settled(), "");
}

TEST_F(PublicationTest, RefusesAnswersToWhatWasAppendedButNotSent) {
  send(5);
  ASSERT_TRUE(publication_.outbox().append(MessageType::kRaw, bytes_of("later")));
  EXPECT_EQ(accept(0, 6, 0), ErrorCode::kSequenceInvalid);
}

TEST_F(PublicationTest, BoundsWhatAServerMayRejectAheadOfItsTurn) {
  send(5000);
  ErrorCode last = ErrorCode::kNone;
  std::uint64_t count = 0;
  for (; last == ErrorCode::kNone; ++count) last = reject(1 + 2 * count, 2 + 2 * count);
  EXPECT_EQ(last, ErrorCode::kLimitExceeded);
  EXPECT_EQ(count, Publication::kRejectionCountMax + 1);
}

// spec: PUBLISH-7
TEST_F(PublicationTest, LearnsFromAnExpectationOnlyThatItMakesSense) {
  send(10);
  EXPECT_EQ(accept(0, 4, 0), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+0-4@0 ");
  publication_.lose();
  EXPECT_EQ(publication_.outbox().sent(), Sequence(4));

  EXPECT_EQ(accept(9, 9, 0), ErrorCode::kNone);  // it has had up to 9, on the connection before
  EXPECT_EQ(accept(11, 11, 0), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(settled(), "");
  send(0);
  EXPECT_EQ(accept(4, 7, 70), ErrorCode::kNone);
  EXPECT_EQ(reject(7, 8), ErrorCode::kNone);
  EXPECT_EQ(accept(8, 10, 90), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+4-7@70 !7-8 +8-10@90 ");
}

TEST_F(PublicationTest, ForgetsRejectionsThatNeverHadTheirTurn) {
  send(10);
  EXPECT_EQ(reject(5, 7), ErrorCode::kNone);
  publication_.lose();
  send(0);
  EXPECT_EQ(accept(0, 10, 0), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+0-10@0 ");
}

TEST_F(PublicationTest, GivesUpWhatHasNoFateYetOnce) {
  send(10);
  EXPECT_EQ(accept(0, 4, 0), ErrorCode::kNone);
  ASSERT_TRUE(publication_.outbox().append(MessageType::kRaw, bytes_of("unsent")));
  publication_.give_up(ErrorCode::kFenced, "why", outputs_);
  publication_.give_up(ErrorCode::kFenced, "why", outputs_);
  EXPECT_EQ(settled(), "+0-4@0 ?4-11 ");
  EXPECT_TRUE(publication_.settled());
}

// spec: DEADLINE-1
TEST_F(PublicationTest, TellsWhatExpiredAfterTheFatesOfWhatWasBefore) {
  send(4);
  append_timed(3);
  publication_.skip(kLate, outputs_);
  publication_.skip(kLate, outputs_);
  EXPECT_EQ(settled(), "");
  append_timed(1);
  publication_.skip(kLate, outputs_);
  send(2);

  EXPECT_EQ(accept(0, 4, 100), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+0-4@100 x4-8 ");
  EXPECT_EQ(accept(8, 10, 104), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+8-10@104 ");
  EXPECT_TRUE(publication_.settled());
}

// spec: DEADLINE-1
TEST_F(PublicationTest, TakesNoAcknowledgementOfWhatItSkipped) {
  send(1);
  append_timed(1);
  publication_.skip(kLate, outputs_);
  send(1);
  EXPECT_EQ(accept(0, 3, 0), ErrorCode::kSequenceInvalid);
}

// spec: DEADLINE-1
TEST_F(PublicationTest, TakesNoRejectionOfWhatItSkippedAndCanGiveUp) {
  send(1);
  append_timed(1);
  publication_.skip(kLate, outputs_);
  send(1);

  EXPECT_EQ(reject(0, 3), ErrorCode::kSequenceInvalid);

  publication_.give_up(ErrorCode::kSequenceInvalid, "closed", outputs_);
  EXPECT_EQ(settled(), "?0-1 x1-2 ?2-3 ");
}

// spec: PUBLISH-8
TEST_F(PublicationTest, SkipsAgainOnTheNextConnectionUntilTheServerSaidThatItKnows) {
  send(1);
  EXPECT_EQ(accept(0, 1, 0), ErrorCode::kNone);
  append_timed(2);
  publication_.skip(kLate, outputs_);
  send(0);
  EXPECT_EQ(settled(), "+0-1@0 x1-3 ");

  publication_.lose();
  EXPECT_EQ(publication_.outbox().sent(), Sequence(1));
  send(0);
  EXPECT_EQ(accept(3, 3, 0), ErrorCode::kNone);
  publication_.lose();

  EXPECT_EQ(publication_.outbox().sent(), Sequence(3));
  EXPECT_EQ(settled(), "");
}

// spec: LATEST-1
TEST_F(PublicationTest, TellsWhatWasSupersededAfterTheFatesOfWhatWasBefore) {
  Publication latest(kId, {}, ChannelName::of(1), 1 << 20, {.mode = DeliveryMode::kLatest});
  const auto append = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(latest.outbox().append(MessageType::kRaw, bytes_of("hello")));
    }
  };
  const auto send_newest = [&] {
    latest.skip(kLate, outputs_);
    while (latest.outbox().has_unsent()) latest.outbox().fill(queue_, scratch_, 1);
  };
  append(1);
  send_newest();
  append(5);
  send_newest();
  append(3);
  latest.skip(kLate, outputs_);
  EXPECT_EQ(settled(), "");

  ASSERT_TRUE(latest.accepted({kId, Sequence(0), 1, Offset(100), false}, outputs_));
  EXPECT_EQ(settled(), "+0-1@100 s1-5 ");
  ASSERT_TRUE(latest.accepted({kId, Sequence(5), 1, Offset(101), false}, outputs_));
  EXPECT_EQ(settled(), "+5-6@101 s6-8 ");
  latest.give_up(ErrorCode::kNone, "closed", outputs_);
  EXPECT_EQ(settled(), "?8-9 ");
  EXPECT_TRUE(latest.settled());
  queue_.clear();
}

TEST_F(PublicationTest, AfterABrokenConnectionNoMoreWaitsThanAtFirstHoweverFarItHasGrown) {
  Publication grown(kId, {}, ChannelName::of(1), session::OutboxSize(64 * 1024, 256 * 1024));
  session::Outbox& outbox = grown.outbox();
  const Bytes message(1000);
  while (outbox.append(MessageType::kRaw, message)) continue;
  while (outbox.has_unsent()) outbox.fill(queue_, scratch_, 1);
  outbox.grow_if_on_its_way();
  ASSERT_TRUE(outbox.append(MessageType::kRaw, message));

  grown.lose();
  queue_.clear();

  EXPECT_FALSE(outbox.append(MessageType::kRaw, message));
}

TEST_F(PublicationTest, GivesUpWithoutTakingBackThatSomethingExpired) {
  send(2);
  append_timed(2);
  publication_.skip(kLate, outputs_);
  send(1);
  append_timed(1);

  publication_.give_up(ErrorCode::kNone, "closed", outputs_);
  publication_.skip(kLate, outputs_);

  EXPECT_EQ(settled(), "?0-2 x2-4 ?4-6 ");
  EXPECT_TRUE(publication_.settled());
}

// Answers that come in any order.
class UnorderedPublicationTest : public PublicationTest {
 protected:
  UnorderedPublicationTest() : PublicationTest({.mode = DeliveryMode::kUnordered}) {}
};

// spec: PUBLISH-10
TEST_F(UnorderedPublicationTest, SettlesWhatIsAnsweredInAnyOrderInTheOrderOfSequences) {
  send(20);
  EXPECT_EQ(accept(10, 20, 0), ErrorCode::kNone);
  EXPECT_EQ(reject(5, 7), ErrorCode::kNone);
  EXPECT_EQ(settled(), "");

  EXPECT_EQ(accept(0, 5, 10), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+0-5@10 !5-7 ");
  EXPECT_EQ(publication_.outbox().acknowledged(), Sequence(7));

  EXPECT_EQ(accept(7, 10, 15), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+7-10@15 +10-20@0 ");
  EXPECT_EQ(publication_.outbox().waiting(), 0U);
}

// spec: PUBLISH-10
TEST_F(UnorderedPublicationTest, RefusesASecondAnswerAndOneToWhatWasNotSent) {
  send(20);
  EXPECT_EQ(accept(10, 15, 0), ErrorCode::kNone);

  EXPECT_EQ(accept(14, 16, 5), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(reject(9, 11), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(accept(20, 21, 5), ErrorCode::kSequenceInvalid);
}

// spec: DEADLINE-1, PUBLISH-10
TEST_F(UnorderedPublicationTest, TakesNoAnswerToMoreThanWhatItSkippedAndCanGiveUp) {
  send(1);
  append_timed(1);
  publication_.skip(Instant() + std::chrono::milliseconds(10), outputs_);
  send(1);

  EXPECT_EQ(accept(0, 3, 0), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(reject(1, 3), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(reject(1, 2, ErrorCode::kExpired), ErrorCode::kNone);

  publication_.give_up(ErrorCode::kSequenceInvalid, "closed", outputs_);
  EXPECT_EQ(settled(), "?0-1 x1-2 ?2-3 ");
}

// spec: DEADLINE-1, PUBLISH-8
TEST_F(UnorderedPublicationTest, ForgetsWhatItSkippedWhenTheServerAnsweredThat) {
  append_timed(2);
  publication_.skip(Instant() + std::chrono::milliseconds(10), outputs_);
  EXPECT_EQ(settled(), "x0-2 ");
  send(2);
  EXPECT_EQ(accept(2, 4, 0), ErrorCode::kNone);
  EXPECT_EQ(settled(), "+2-4@0 ");
  EXPECT_EQ(publication_.outbox().waiting(), 4U) << "the server may not know of the skipped ones";

  EXPECT_EQ(reject(0, 2, ErrorCode::kExpired), ErrorCode::kNone);

  EXPECT_EQ(settled(), "");
  EXPECT_EQ(publication_.outbox().waiting(), 0U);
}

}  // namespace
}  // namespace orzatty::client
