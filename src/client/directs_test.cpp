#include "client/directs.h"

#include <gtest/gtest.h>

namespace orzatty::client {
namespace {

session::DirectMessages messages(std::string_view channel, std::uint64_t first,
                                 std::uint64_t count) {
  return {.stream = {}, .channel = channel, .first = Sequence(first), .count = count, .frames = {}};
}

// spec: RESUME-4
TEST(Directs, TellTheNextPositionOfEachChannel) {
  Directs directs;
  directs.advance(messages("b", 0, 3));
  directs.advance(messages("a", 0, 1));
  directs.advance(messages("b", 3, 2));

  std::vector<wire::HelloDirect> told;
  std::size_t size = 1000;
  ASSERT_TRUE(directs.tell(told, size));

  const std::vector<wire::HelloDirect> expected = {{*ChannelName::parse("a"), Sequence(1)},
                                                   {*ChannelName::parse("b"), Sequence(5)}};
  EXPECT_EQ(told, expected);
  EXPECT_LT(size, 1000U);
}

// spec: RESUME-4
TEST(Directs, SayThatNotAllOfThemHadRoom) {
  Directs directs;
  directs.advance(messages("a", 0, 1));
  directs.advance(messages("b", 0, 1));

  std::vector<wire::HelloDirect> told;
  std::size_t size = 15;
  EXPECT_FALSE(directs.tell(told, size));
}

// spec: RESUME-4
TEST(Directs, SeeWhatIsLeftOutAndThatALogIsNew) {
  Directs directs;
  EXPECT_FALSE(directs.advance(messages("a", 0, 3)));
  directs.lose();

  const auto lost = directs.advance(messages("a", 5, 1));
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->from, Sequence(3));
  EXPECT_EQ(lost->to, Sequence(5));
  directs.lose();

  EXPECT_FALSE(directs.advance(messages("a", 0, 1))) << "a new log";
  EXPECT_FALSE(directs.advance(messages("a", 1, 1)));
}

TEST(Directs, OfANewSessionBeginWithWhatCameOnItsConnection) {
  Directs directs;
  directs.advance(messages("old", 0, 3));
  directs.advance(messages("new", 0, 3));
  directs.lose();
  directs.advance(messages("new", 0, 2));
  directs.begin_anew();

  std::vector<wire::HelloDirect> told;
  std::size_t size = 1000;
  ASSERT_TRUE(directs.tell(told, size));

  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].next, Sequence(2));
}

}  // namespace
}  // namespace orzatty::client
