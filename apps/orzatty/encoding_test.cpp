#include "encoding.h"

#include <gtest/gtest.h>

namespace orzatty::apps {
namespace {

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
