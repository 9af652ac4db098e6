#include "quantity.h"

#include <gtest/gtest.h>

namespace orzatty::apps {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, ReadsEveryUnit) {
  EXPECT_EQ(parse_duration("250us"), 250us);
  EXPECT_EQ(parse_duration("5ms"), 5ms);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("10m"), 10min);
  EXPECT_EQ(parse_duration("12h"), 12h);
  EXPECT_EQ(parse_duration("7d"), 168h);
}

TEST(ParseDuration, RejectsWhatHasNoUnitNoNumberASignOrTooManyYears) {
  for (const char* text : {"", "5", "s", "-1s", "5 s", "5sec", "1e3s", "300000d"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(ParseCount, RejectsSignsFractionsAndOverflow) {
  EXPECT_EQ(parse_count("18446744073709551615"), UINT64_MAX);
  for (const char* text : {"", "-1", "+1", "1.5", "18446744073709551616", "1x"}) {
    EXPECT_EQ(parse_count(text), std::nullopt) << text;
  }
}

TEST(ParseRate, TakesBitsAndBytesPerSecond) {
  EXPECT_EQ(parse_rate("8bit/s"), 1U);
  EXPECT_EQ(parse_rate("64kbit/s"), 8000U);
  EXPECT_EQ(parse_rate("1.5Mbit/s"), 187'500U);
  EXPECT_EQ(parse_rate("2MB/s"), 2'000'000U);
}

TEST(ParseRate, RejectsWhatHasNoUnitNoNumberOrIsLessThanAByte) {
  for (const char* text : {"", "64", "kbit/s", "64kbps", "64 kbit/s", "-1B/s", "7bit/s", "1e9GB/s"}) {
    EXPECT_EQ(parse_rate(text), std::nullopt) << text;
  }
}

TEST(TextOfQuantities, TakesTheLargestUnitThatFits) {
  EXPECT_EQ(text_of_size(0), "0 bytes");
  EXPECT_EQ(text_of_size(999), "999 bytes");
  EXPECT_EQ(text_of_size(1'500'000), "1.50 MB");
  EXPECT_EQ(text_of_rate(6'250'000), "6.25 M");
  EXPECT_EQ(text_of_rate(12), "12");
  EXPECT_EQ(text_of_duration(1234us), "1.23 ms");
}

}  // namespace
}  // namespace orzatty::apps
