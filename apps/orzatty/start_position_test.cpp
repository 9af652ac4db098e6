#include "start_position.h"

#include <gtest/gtest.h>

namespace orzatty::apps {
namespace {

TEST(StartPositionText, EveryKindIsRead) {
  EXPECT_EQ(parse_start_position("live"), StartPosition::live());
  EXPECT_EQ(parse_start_position("latest"), StartPosition::latest());
  EXPECT_EQ(parse_start_position("start"), StartPosition::start());
  EXPECT_EQ(parse_start_position("last:10"), StartPosition::last(10));
  EXPECT_EQ(parse_start_position("offset:0"), StartPosition::at(Offset(0)));
}

TEST(StartPositionText, AnythingElseIsAUsageErrorThatNamesIt) {
  for (const char* text :
       {"", "Live", "last", "last:", "last:0", "last:-1", "offset:x", "start:1"}) {
    const auto position = parse_start_position(text);
    ASSERT_FALSE(position) << text;
    EXPECT_EQ(position.error().code, ExitCode::kUsage);
    EXPECT_NE(position.error().text.find("'" + std::string(text) + "'"), std::string::npos);
  }
}

}  // namespace
}  // namespace orzatty::apps
