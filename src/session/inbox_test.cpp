#include "session/inbox.h"

#include <gtest/gtest.h>

#include "session/session_for_test.h"

namespace orzatty::session {
namespace {

constexpr RemoteStream kFirst{2};
constexpr RemoteStream kSecond{6};

class InboxTest : public testing::Test {
 protected:
  Inbox inbox_{wire::StreamOpener::kClient, 1024, 2};
};

TEST_F(InboxTest, MakesAStreamOnceAndFindsItAgain) {
  EXPECT_EQ(inbox_.find(kFirst), nullptr);
  IncomingStream* const stream = inbox_.open(kFirst);
  ASSERT_NE(stream, nullptr);
  ASSERT_NE(inbox_.open(kSecond), stream);

  EXPECT_EQ(inbox_.open(kFirst), stream);
  EXPECT_EQ(inbox_.find(kFirst), stream);
  EXPECT_EQ(stream->id(), kFirst);
}

// spec: STREAM-9
TEST_F(InboxTest, HoldsNoMoreStreamsThanItsLimitUntilOneIsClosed) {
  ASSERT_NE(inbox_.open(kFirst), nullptr);
  ASSERT_NE(inbox_.open(kSecond), nullptr);
  EXPECT_EQ(inbox_.open(RemoteStream(10)), nullptr);

  inbox_.close(kSecond);
  EXPECT_EQ(inbox_.find(kSecond), nullptr);
  EXPECT_NE(inbox_.open(RemoteStream(10)), nullptr);
}

TEST_F(InboxTest, AccountsWhatIsHeldOverAllStreams) {
  IncomingStream& first = *inbox_.open(kFirst);
  IncomingStream& second = *inbox_.open(kSecond);
  const Bytes half = test::frame(wire::Publish{.publication = PublicationId(1),
                                               .producer = {},
                                               .epoch = {},
                                               .next = {},
                                               .channel = ChannelName::of(1)});
  for (IncomingStream* stream : {&first, &second}) {
    stream->reader().feed(BytesView(half).first(10));
    ASSERT_TRUE(stream->reader().next());
    inbox_.account(*stream, 0);
  }
  EXPECT_EQ(inbox_.held(), 20U);

  inbox_.close(kFirst);
  EXPECT_EQ(inbox_.held(), 10U);
  inbox_.close(kFirst);
  EXPECT_EQ(inbox_.held(), 10U);
}

}  // namespace
}  // namespace orzatty::session
