#include "session/control_stream.h"

#include <gtest/gtest.h>

#include "session/session_for_test.h"
#include "wire/ping.h"

namespace orzatty::session {
namespace {

class ControlStreamTest : public testing::Test {
 protected:
  Scratch scratch_{64 * 1024};
  SendTable sends_;
  ControlStream control_{100, scratch_, sends_};
};

TEST_F(ControlStreamTest, GivesWholeFramesHoweverTheyWereSplit) {
  const Bytes bytes = test::joined({test::frame(wire::Ping{}), test::frame(wire::Pong{})});
  std::vector<wire::FrameType> types;
  for (const std::byte& byte : bytes) {
    control_.feed({&byte, 1});
    while (true) {
      const auto frame = control_.next();
      ASSERT_TRUE(frame);
      if (!*frame) break;
      types.push_back((*frame)->type());
    }
  }

  EXPECT_EQ(types, (std::vector{wire::FrameType::kPing, wire::FrameType::kPong}));
  EXPECT_EQ(control_.held(), 0U);
}

// spec: STREAM-2
TEST_F(ControlStreamTest, RefusesAMessage) {
  const Bytes bytes = test::message("hello");
  control_.feed(bytes);

  const auto frame = control_.next();

  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, ErrorCode::kFrameUnexpected);
}

// spec: FRAME-2
TEST_F(ControlStreamTest, RefusesALongFrameOnItsHeaderUnlessItsLimitWasRaised) {
  const Bytes fits = {std::byte{0x80}, std::byte{0x40}, std::byte{100}};
  const Bytes too_long = {std::byte{0x80}, std::byte{0x40}, std::byte{101}};
  ControlStream raised(100, scratch_, sends_);
  raised.set_size_max(101);

  ControlStream fitting(100, scratch_, sends_);
  fitting.feed(fits);
  EXPECT_TRUE(fitting.next());
  raised.feed(too_long);
  EXPECT_TRUE(raised.next());
  control_.feed(too_long);
  const auto refused = control_.next();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kFrameTooLarge);
}

TEST_F(ControlStreamTest, SaysWhenItsPeerLeavesTooMuchUnread) {
  std::size_t count = 0;
  while (control_.send(wire::Pong{}) && count < 100'000) ++count;

  EXPECT_GT(count, 5'000U);
  EXPECT_LT(count, 7'000U);  // ten bytes each
  EXPECT_EQ(sends_.queue(kControlKey).unsent(), count * 10);
}

}  // namespace
}  // namespace orzatty::session
