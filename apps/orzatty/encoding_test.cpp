#include "encoding.h"

#include <gtest/gtest.h>

namespace orzatty::apps {
namespace {

TEST(Utf8, EveryLengthOfCharacterIsMeasured) {
  EXPECT_EQ(utf8_character_size("a"), 1U);
  EXPECT_EQ(utf8_character_size("\u00e4b"), 2U);
  EXPECT_EQ(utf8_character_size("\u20ac"), 3U);
  EXPECT_EQ(utf8_character_size("\U0001f680"), 4U);
}

TEST(Utf8, OverlongFormsSurrogatesAndNumbersBeyondUnicodeAreNone) {
  EXPECT_FALSE(is_utf8("\xc0\x80"));
  EXPECT_FALSE(is_utf8("\xe0\x9f\xbf"));
  EXPECT_TRUE(is_utf8("\xe0\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_TRUE(is_utf8("\xed\x9f\xbf"));
  EXPECT_FALSE(is_utf8("\xf0\x8f\xbf\xbf"));
  EXPECT_TRUE(is_utf8("\xf4\x8f\xbf\xbf"));
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));
  EXPECT_FALSE(is_utf8("\xf5\x80\x80\x80"));
}

TEST(Utf8, ACharacterCutOffIsNone) {
  EXPECT_FALSE(is_utf8("\xe2\x82"));
  EXPECT_FALSE(is_utf8("\x80"));
  EXPECT_TRUE(is_utf8(""));
}

TEST(Base64, HasThePaddingOfTheStandardsExamples) {
  EXPECT_EQ(base64(bytes_of("")), "");
  EXPECT_EQ(base64(bytes_of("f")), "Zg==");
  EXPECT_EQ(base64(bytes_of("fo")), "Zm8=");
  EXPECT_EQ(base64(bytes_of("foo")), "Zm9v");
  EXPECT_EQ(base64(bytes_of("foobar")), "Zm9vYmFy");
  EXPECT_EQ(base64(bytes_of("\xff\xfe\xfd")), "//79");
}

TEST(Hex, HasTwoDigitsForEveryByte) {
  EXPECT_EQ(hex(bytes_of(std::string_view("\x00\x0f\xa0\xff", 4))), "000fa0ff");
}

}  // namespace
}  // namespace orzatty::apps
