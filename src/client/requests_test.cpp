#include "client/requests.h"

#include <gmock/gmock.h>

#include "client/client_for_test.h"

namespace orzatty::client::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Why = RequestFailed::Why;

CorrelationId id(std::uint8_t number) {
  CorrelationId id;
  id.bytes[0] = std::byte{number};
  return id;
}

class RequestTest : public ClientTest {
 protected:
  // With a time to live or without, of which the engine knows nothing.
  bool ask(std::uint8_t number, Duration timeout = 10s) {
    const Sequence sequence = engine_->outbox(asked_).next_sequence();
    if (!engine_->await_reply({id(number), asked_, sequence, now_ + timeout})) return false;
    append(asked_, 1);
    return true;
  }
  std::vector<Why> failures() const {
    std::vector<Why> failures;
    for (const EngineOutput& output : outputs_) {
      if (const auto* failed = std::get_if<RequestFailed>(&output)) failures.push_back(failed->why);
    }
    return failures;
  }
  void pass(Duration time) {
    now_ += time;
    engine_->handle_timeout(now_);
    drain();
  }

  PublicationId asked_ = engine_->publish(*ChannelName::parse("time"));
};

// spec: REQUEST-6
TEST_F(RequestTest, OnlyAReplyThatIsWaitedForIsTakenAndOnlyOnce) {
  connect();
  ASSERT_TRUE(ask(7));
  talk();

  EXPECT_FALSE(engine_->take_reply(id(8)));
  EXPECT_TRUE(engine_->take_reply(id(7)));
  EXPECT_FALSE(engine_->take_reply(id(7)));
  pass(11s);
  EXPECT_THAT(failures(), IsEmpty());
}

TEST_F(RequestTest, WithoutAReplyItFailsWhenItsTimeIsOverWhetherOrNotThereIsAConnection) {
  connect();
  ASSERT_TRUE(ask(7, 1s));
  ASSERT_TRUE(ask(8, 2s));
  talk();
  lose();

  pass(1s);
  EXPECT_THAT(failures(), ElementsAre(Why::kTimeout));
  EXPECT_EQ(last<RequestFailed>().id, id(7));
  EXPECT_FALSE(engine_->take_reply(id(7)));
  pass(1s);
  EXPECT_THAT(failures(), ElementsAre(Why::kTimeout, Why::kTimeout));
}

TEST_F(RequestTest, AsksForTheMomentAtWhichItsTimeIsOver) {
  connect();
  const Instant until = now_ + 1s;
  ASSERT_TRUE(ask(7, 1s));
  talk();

  while (failures().empty()) {
    now_ = std::max(now_, *engine_->next_timeout());
    engine_->handle_timeout(now_);
    drain();
  }

  EXPECT_EQ(now_, until);
}

TEST_F(RequestTest, ThatTheServerRefusesFailsAtOnceWithTheCode) {
  server_.rejected = {1};
  connect();
  append(asked_, 1);
  ASSERT_TRUE(ask(7));
  ASSERT_TRUE(ask(8));
  talk();

  ASSERT_THAT(failures(), ElementsAre(Why::kRejected));
  EXPECT_EQ(last<RequestFailed>().id, id(7));
  EXPECT_EQ(last<RequestFailed>().code, ErrorCode::kRateLimited);
  EXPECT_TRUE(engine_->take_reply(id(8)));
}

TEST_F(RequestTest, IsLostWithItsSessionUnlessItsMessageIsStillToBeSent) {
  connect();
  ASSERT_TRUE(ask(7));
  talk();
  server_.answering = false;
  ASSERT_TRUE(ask(8));
  talk();
  lose();
  EXPECT_THAT(failures(), IsEmpty()) << "it may come back to the same session";

  wait_for_retry();
  server_.answering = true;
  connect();

  EXPECT_THAT(failures(), ElementsAre(Why::kLost));
  EXPECT_EQ(last<RequestFailed>().id, id(7));
  EXPECT_TRUE(engine_->take_reply(id(8)));
}

TEST_F(RequestTest, FailsWhenTheClientIsClosed) {
  connect();
  ASSERT_TRUE(ask(7));
  talk();
  engine_->close(ClientEngine::Ending::kNow, now_);
  talk();
  lose(ErrorCode::kNone);

  EXPECT_THAT(failures(), ElementsAre(Why::kLost));
}

TEST_F(RequestTest, FailsWithTheCodeThatItsSessionEndedBy) {
  connect();
  ASSERT_TRUE(ask(7));
  talk();

  lose(ErrorCode::kFrameTooLarge);

  EXPECT_THAT(failures(), ElementsAre(Why::kLost));
  EXPECT_EQ(last<RequestFailed>().code, ErrorCode::kFrameTooLarge);
}

// spec: REQUEST-7
TEST_F(RequestTest, ThatIsWithdrawnIsToldToTheServerAndNeverEnds) {
  connect();
  ASSERT_TRUE(ask(7));
  talk();

  engine_->cancel(id(7));
  engine_->cancel(id(7));
  engine_->cancel(id(8));
  talk();

  EXPECT_THAT(server_.cancelled, ElementsAre(id(7)));
  EXPECT_FALSE(engine_->take_reply(id(7)));
  pass(11s);
  EXPECT_THAT(failures(), IsEmpty());
}

// spec: REQUEST-7
TEST_F(RequestTest, ThatIsWithdrawnBeforeTheServerIsKnownToHaveItIsToldOnceItIs) {
  connect();
  server_.answering = false;
  ASSERT_TRUE(ask(7));
  talk();

  engine_->cancel(id(7));
  talk();
  EXPECT_THAT(server_.cancelled, IsEmpty()) << "it could overtake the request";
  EXPECT_FALSE(engine_->take_reply(id(7)));

  lose();
  wait_for_retry();
  server_.answering = true;
  connect();
  EXPECT_THAT(server_.cancelled, ElementsAre(id(7)));
  EXPECT_THAT(failures(), IsEmpty());
}

// spec: REQUEST-7
TEST_F(RequestTest, ThatIsWithdrawnWithoutAConnectionIsToldOnceThereIsOneAgain) {
  server_.resumes = true;
  connect();
  ASSERT_TRUE(ask(7));
  talk();
  lose();

  engine_->cancel(id(7));
  EXPECT_THAT(server_.cancelled, IsEmpty());
  wait_for_retry();
  connect();

  EXPECT_THAT(server_.cancelled, ElementsAre(id(7)));
  EXPECT_THAT(failures(), IsEmpty());
}

// spec: REQUEST-7
TEST_F(RequestTest, ThatIsWithdrawnAndThenRefusedIsNotToldToTheServer) {
  server_.rejected = {0};
  connect();
  ASSERT_TRUE(ask(7));

  engine_->cancel(id(7));
  talk();

  EXPECT_THAT(server_.cancelled, IsEmpty());
  EXPECT_THAT(failures(), IsEmpty());
}

TEST_F(RequestTest, ThatWasNeverAppendedLeavesNothingBehind) {
  connect();
  const Sequence sequence = engine_->outbox(asked_).next_sequence();
  ASSERT_TRUE(engine_->await_reply({id(7), asked_, sequence, now_ + 1s}));

  engine_->withdraw(id(7));
  ASSERT_TRUE(ask(8));
  talk();

  EXPECT_THAT(server_.cancelled, IsEmpty());
  EXPECT_TRUE(engine_->take_reply(id(8)));
  pass(2s);
  EXPECT_THAT(failures(), IsEmpty());
}

TEST_F(RequestTest, ThatIsWithdrawnHasItsPlaceUntilTheServerIsToldSo) {
  connect();
  server_.answering = false;
  for (std::uint32_t i = 0; i < limits_.request_count_max; ++i) {
    CorrelationId drawn;
    drawn.bytes[1] = static_cast<std::byte>(i >> 8);
    drawn.bytes[2] = static_cast<std::byte>(i & 0xff);
    ASSERT_TRUE(engine_->await_reply({drawn, asked_, Sequence(i), now_ + 10s}));
    append(asked_, 1);
    engine_->cancel(drawn);
  }

  EXPECT_FALSE(ask(7)) << "the server would refuse it";
  lose();
  wait_for_retry();
  server_.answering = true;
  connect();
  EXPECT_TRUE(ask(7));
}

TEST_F(RequestTest, OneMoreThanTheLimitIsNotTakenUntilAnotherIsOver) {
  connect();
  for (std::uint32_t i = 0; i < limits_.request_count_max; ++i) {
    CorrelationId drawn;
    drawn.bytes[1] = static_cast<std::byte>(i >> 8);
    drawn.bytes[2] = static_cast<std::byte>(i & 0xff);
    ASSERT_TRUE(engine_->await_reply({drawn, asked_, Sequence(i), now_ + 1s}));
  }

  EXPECT_FALSE(ask(7));
  pass(1s);
  EXPECT_TRUE(ask(7));
}

}  // namespace
}  // namespace orzatty::client::test
