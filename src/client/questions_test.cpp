#include "client/questions.h"

#include <gtest/gtest.h>

#include "session/session_for_test.h"

namespace orzatty::client {
namespace {

using wire::FateKind;
using wire::FateRun;

wire::Fate about(std::uint64_t first, std::uint64_t count) {
  return {.question = 0,
          .producer = {},
          .epoch = {},
          .channel = ChannelName::of(1),
          .runs = {{Sequence(first), count}}};
}

wire::Fate answer(std::uint64_t question, std::vector<FateRun> runs) {
  wire::Fate told = about(0, 1);
  told.question = question;
  told.runs = std::move(runs);
  return told;
}

class QuestionsTest : public testing::Test {
 protected:
  const FatesTold* told() {
    return outputs_.empty() ? nullptr : std::get_if<FatesTold>(&outputs_.front());
  }

  session::ClientSession session_{Limits{}, session::test::hello(), 1, Instant{}};
  Questions questions_;
  Outputs outputs_;
};

// spec: FATE-3
TEST_F(QuestionsTest, AnAnswerThatStopsShortIsFollowedByTheRest) {
  questions_.open(session_);
  const std::uint64_t number = questions_.add(about(5, 10));
  const FateRun begin{Sequence(5), 4, FateKind::kAccepted, 70};
  const FateRun rest{Sequence(9), 6, FateKind::kUnknown, 0};

  ASSERT_TRUE(questions_.answered(answer(number, {begin}), outputs_));
  EXPECT_EQ(told(), nullptr);
  ASSERT_TRUE(questions_.answered(answer(number, {rest}), outputs_));

  ASSERT_NE(told(), nullptr);
  EXPECT_EQ(told()->question, number);
  EXPECT_EQ(told()->runs, (std::vector<FateRun>{begin, rest}));
}

// spec: FATE-3
TEST_F(QuestionsTest, AnAnswerToSomethingElseIsRefused) {
  questions_.open(session_);
  const std::uint64_t number = questions_.add(about(5, 10));

  EXPECT_FALSE(
      questions_.answered(answer(number, {{Sequence(4), 1, FateKind::kUnknown, 0}}), outputs_));
  EXPECT_FALSE(
      questions_.answered(answer(number, {{Sequence(5), 11, FateKind::kUnknown, 0}}), outputs_));
  EXPECT_FALSE(questions_.answered(answer(number, {}), outputs_));
}

TEST_F(QuestionsTest, AreAskedOnTheNextConnectionAndNotAnsweredWhenForgotten) {
  const std::uint64_t number = questions_.add(about(0, 1));
  const std::uint64_t before = session_.core().sends().queue(session::kControlKey).unsent();
  questions_.open(session_);
  EXPECT_GT(session_.core().sends().queue(session::kControlKey).unsent(), before);

  questions_.forget(number);
  ASSERT_TRUE(
      questions_.answered(answer(number, {{Sequence(0), 1, FateKind::kUnknown, 0}}), outputs_));

  EXPECT_EQ(told(), nullptr);
}

}  // namespace
}  // namespace orzatty::client
