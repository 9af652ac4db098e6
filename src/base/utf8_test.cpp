#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

#include "base/prng.h"

namespace orzatty::base {
namespace {

bool valid(std::string_view text) { return is_utf8(bytes_of(text)); }

// As RFC 3629 encodes it, whether or not it is a character: `size` bytes.
std::string encoded(std::uint32_t point, std::size_t size) {
  if (size == 1) return {static_cast<char>(point)};
  constexpr std::uint32_t kLead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  std::string text;
  for (std::size_t i = size; i > 0; --i) {
    const std::uint32_t bits = point >> (6 * (i - 1));
    text += static_cast<char>(i == size ? kLead[size] | bits : 0x80 | (bits & 0x3f));
  }
  return text;
}

std::size_t size_of(std::uint32_t point) {
  if (point < 0x80) return 1;
  if (point < 0x800) return 2;
  return point < 0x10000 ? 3 : 4;
}

TEST(Utf8, EveryCharacterIsValidAndNoSurrogateOrWhatLiesBeyondTheLast) {
  for (std::uint32_t point = 0; point < 0x120000; ++point) {
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    ASSERT_EQ(valid(encoded(point, size_of(point))), !surrogate && point <= 0x10ffff) << point;
  }
}

TEST(Utf8, ACharacterInMoreBytesThanItNeedsIsRefused) {
  for (std::uint32_t point = 0; point < 0x80; ++point) ASSERT_FALSE(valid(encoded(point, 2)));
  for (std::uint32_t point = 0; point < 0x800; ++point) ASSERT_FALSE(valid(encoded(point, 3)));
  for (std::uint32_t point = 0; point < 0x10000; ++point) ASSERT_FALSE(valid(encoded(point, 4)));
}

TEST(Utf8, OfAllPairsOfBytesTwoOfAsciiOrOneCharacterOfTwoAreValid) {
  for (std::uint32_t first = 0; first < 0x100; ++first) {
    for (std::uint32_t second = 0; second < 0x100; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      const bool ascii = first < 0x80 && second < 0x80;
      const bool character = first >= 0xc2 && first <= 0xdf && second >= 0x80 && second <= 0xbf;
      ASSERT_EQ(valid(text), ascii || character) << first << " " << second;
    }
  }
}

TEST(Utf8, ATextCutInsideACharacterIsRefused) {
  for (const std::uint32_t point : {0x80U, 0x800U, 0xffffU, 0x10000U, 0x10ffffU}) {
    const std::string whole = encoded(point, size_of(point));
    for (std::size_t size = 1; size < whole.size(); ++size) {
      EXPECT_FALSE(valid(whole.substr(0, size)));
      EXPECT_FALSE(valid(whole.substr(0, size) + "a"));
      EXPECT_FALSE(valid("12345678" + whole.substr(0, size)));
    }
  }
}

TEST(Utf8, AFaultIsFoundWhereverItStandsInALongText) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string text(size, 'a');
    EXPECT_TRUE(valid(text));
    for (std::size_t at = 0; at < size; ++at) {
      std::string faulty = text;
      faulty[at] = '\x80';
      EXPECT_FALSE(valid(faulty)) << at << " of " << size;
      EXPECT_TRUE(valid(text.substr(0, at) + "ä" + text.substr(at)));
    }
  }
}

TEST(Utf8, TheFirstCharacterIsMeasuredWhenItIsWhole) {
  EXPECT_EQ(utf8_character_size(bytes_of("ab")), 1U);
  EXPECT_EQ(utf8_character_size(bytes_of("\u00e4b")), 2U);
  EXPECT_EQ(utf8_character_size(bytes_of("\u20ac")), 3U);
  EXPECT_EQ(utf8_character_size(bytes_of("\U0001f680")), 4U);
  EXPECT_EQ(utf8_character_size(bytes_of("\xe2\x82")), 0U);
  EXPECT_EQ(utf8_character_size(bytes_of("\x80")), 0U);
  EXPECT_EQ(utf8_character_size({}), 0U);
}

TEST(Utf8, AnyMixOfCharactersIsValid) {
  Prng prng(3);
  for (int turn = 0; turn < 2000; ++turn) {
    std::string text;
    for (std::uint64_t count = prng.below(40); count > 0; --count) {
      const std::uint32_t maxima[] = {0x80, 0x800, 0xd800, 0x110000};
      auto point = static_cast<std::uint32_t>(prng.below(maxima[prng.below(4)]));
      if (point >= 0xd800 && point <= 0xdfff) point = 0x20ac;
      text += encoded(point, size_of(point));
    }
    ASSERT_TRUE(valid(text)) << text;
  }
}

}  // namespace
}  // namespace orzatty::base
