#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/prng.h"
#include "orzatty/bytes.h"
#include "orzatty/channel.h"

namespace orzatty {
namespace {

bool is_name(std::string_view text) { return ChannelName::parse(text).has_value(); }
bool is_pattern(std::string_view text) { return ChannelPattern::parse(text).has_value(); }

// Both are sound, or the test is not.
bool matches(std::string_view pattern, std::string_view name) {
  const auto parsed_pattern = ChannelPattern::parse(pattern);
  const auto parsed_name = ChannelName::parse(name);
  EXPECT_TRUE(parsed_pattern.has_value()) << pattern;
  EXPECT_TRUE(parsed_name.has_value()) << name;
  return parsed_pattern && parsed_name && parsed_pattern->matches(*parsed_name);
}

// spec: NAME-1
TEST(ChannelName, ANameOf255BytesPassesAndOneOf256DoesNot) {
  EXPECT_TRUE(is_name("x"));
  EXPECT_TRUE(is_name(std::string(255, 'x')));
  EXPECT_FALSE(is_name(std::string(256, 'x')));
  EXPECT_FALSE(is_name(""));
}

// spec: NAME-1
TEST(ChannelName, TheBoundCountsBytesAndNotCharacters) {
  std::string text;
  for (int i = 0; i < 127; ++i) text += "ä";

  EXPECT_TRUE(is_name(text + "x"));
  EXPECT_FALSE(is_name(text + "ä"));
}

// spec: NAME-1
TEST(ChannelName, TokensAreNotEmpty) {
  EXPECT_TRUE(is_name("a.b.c"));
  for (const char* text : {".", ".a", "a.", "a..b"}) EXPECT_FALSE(is_name(text)) << text;
}

// spec: NAME-1
TEST(ChannelName, OfTheAsciiBytesOnlySpaceControlsDotAndWildcardsAreRefused) {
  for (unsigned value = 0; value < 0x80; ++value) {
    const auto character = static_cast<char>(value);
    const bool refused =
        value <= 0x20 || value == 0x7f || character == '.' || character == '*' || character == '>';
    EXPECT_EQ(is_name(std::string(1, character)), !refused) << value;
    EXPECT_EQ(is_name("a" + std::string(1, character)), !refused) << value;
  }
}

// spec: NAME-1
TEST(ChannelName, WhatIsNotUtf8IsRefused) {
  EXPECT_TRUE(is_name("prix.€"));
  EXPECT_FALSE(is_name("prix.\xe2\x82"));
  EXPECT_FALSE(is_name("\xff"));
  EXPECT_FALSE(is_name("\xc0\xaf"));
}

TEST(ChannelName, ANumberIsTheNameOfItsDigits) {
  EXPECT_EQ(ChannelName::of(1), *ChannelName::parse("1"));
  EXPECT_EQ(ChannelName::of(~std::uint64_t{0}).text(), "18446744073709551615");
}

// spec: NAME-3
TEST(ChannelName, OnlyAFirstDollarReserves) {
  EXPECT_TRUE(ChannelName::parse("$presence")->reserved());
  EXPECT_FALSE(ChannelName::parse("a.$b")->reserved());
}

// spec: NAME-2
TEST(ChannelPattern, AWildcardIsAWholeTokenAndATailComesLast) {
  for (const char* text : {"*", ">", "a.*", "*.a", "*.*.>", "a.>", "a"}) {
    EXPECT_TRUE(is_pattern(text)) << text;
  }
  for (const char* text : {"a*", "*a", "**", ">>", "a>", ">a", ">.a", "a.>.b", "*>", "a..*", ""}) {
    EXPECT_FALSE(is_pattern(text)) << text;
  }
}

// spec: NAME-1, NAME-2
TEST(ChannelPattern, APatternOf255BytesPassesAndOneOf256DoesNot) {
  EXPECT_TRUE(is_pattern(std::string(253, 'x') + ".*"));
  EXPECT_FALSE(is_pattern(std::string(254, 'x') + ".*"));
}

// spec: NAME-2
TEST(ChannelPattern, AStarMatchesExactlyOneToken) {
  EXPECT_TRUE(matches("quotes.*", "quotes.AAPL"));
  EXPECT_FALSE(matches("quotes.*", "quotes"));
  EXPECT_FALSE(matches("quotes.*", "quotes.AAPL.bid"));
  EXPECT_TRUE(matches("*.AAPL", "quotes.AAPL"));
  EXPECT_FALSE(matches("*.AAPL", "AAPL"));
  EXPECT_TRUE(matches("a.*.c", "a.b.c"));
  EXPECT_FALSE(matches("a.*.c", "a.b.d"));
}

// spec: NAME-2
TEST(ChannelPattern, ATailMatchesOneTokenOrMore) {
  EXPECT_TRUE(matches("quotes.>", "quotes.AAPL"));
  EXPECT_TRUE(matches("quotes.>", "quotes.AAPL.bid.size"));
  EXPECT_FALSE(matches("quotes.>", "quotes"));
  EXPECT_FALSE(matches("quotes.>", "quotesX.AAPL"));
  EXPECT_TRUE(matches(">", "quotes"));
  EXPECT_TRUE(matches("*.>", "a.b"));
  EXPECT_FALSE(matches("*.>", "a"));
}

// spec: NAME-2
TEST(ChannelPattern, OneWithoutWildcardsMatchesItselfAlone) {
  EXPECT_FALSE(ChannelPattern::parse("a.b")->has_wildcard());
  EXPECT_TRUE(ChannelPattern::parse("a.*")->has_wildcard());
  EXPECT_TRUE(matches("a.b", "a.b"));
  EXPECT_FALSE(matches("a.b", "a.bc"));
  EXPECT_FALSE(matches("a.b", "a"));
  EXPECT_EQ(ChannelPattern::exactly(*ChannelName::parse("a.b")), *ChannelPattern::parse("a.b"));
}

// spec: NAME-3
TEST(ChannelPattern, OnlyALiteralFirstTokenMatchesReservedNames) {
  EXPECT_FALSE(matches("*", "$presence"));
  EXPECT_FALSE(matches(">", "$presence.a"));
  EXPECT_FALSE(matches("*.a", "$presence.a"));
  EXPECT_TRUE(matches("$presence", "$presence"));
  EXPECT_TRUE(matches("$presence.*", "$presence.a"));
  EXPECT_TRUE(matches("$presence.>", "$presence.a.b"));
  EXPECT_TRUE(matches("*.$b", "a.$b"));
}

// The shortest definition there is, by recursion over tokens.
bool matches_by_definition(std::string_view pattern, std::string_view name) {
  const std::size_t pattern_dot = pattern.find('.');
  const std::size_t name_dot = name.find('.');
  const auto token = pattern.substr(0, pattern_dot);
  if (token == ">") return true;
  if (token != "*" && token != name.substr(0, name_dot)) return false;
  const bool pattern_ends = pattern_dot == std::string_view::npos;
  const bool name_ends = name_dot == std::string_view::npos;
  if (pattern_ends || name_ends) return pattern_ends && name_ends;
  return matches_by_definition(pattern.substr(pattern_dot + 1), name.substr(name_dot + 1));
}

std::string random_tokens(base::Prng& prng, std::span<const std::string_view> tokens) {
  std::string text(tokens[prng.below(tokens.size())]);
  for (std::uint64_t more = prng.below(4); more > 0; --more) {
    text += '.';
    text += tokens[prng.below(tokens.size())];
  }
  return text;
}

TEST(ChannelPattern, AnyPatternMatchesAnyNameAsTheDefinitionSays) {
  constexpr std::string_view kTokens[] = {"a", "b", "ab", "*", ">"};
  base::Prng prng(7);
  std::uint64_t matched = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string pattern = random_tokens(prng, kTokens);
    const std::string name = random_tokens(prng, std::span(kTokens).first(3));
    if (!is_pattern(pattern)) continue;
    const bool expected = matches_by_definition(pattern, name);
    ASSERT_EQ(matches(pattern, name), expected) << pattern << " " << name;
    matched += expected ? 1U : 0U;
  }
  EXPECT_GT(matched, 1000U);
}

// spec/vectors/README.md says how to read them.
TEST(ChannelName, TheGoldenVectorsAreAnsweredAsTheyStand) {
  std::ifstream in(std::string(ORZATTY_SOURCE_DIR) + "/spec/vectors/names.txt");
  std::size_t count = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::string cells[4];
    std::size_t from = 0;
    for (std::string& cell : cells) {
      const std::size_t bar = std::min(line.find(" | ", from), line.size());
      cell = line.substr(from, bar - from);
      from = std::min(bar + 3, line.size());
    }
    std::string text;
    for (std::size_t i = 0; i + 1 < cells[2].size(); i += 2) {
      text += static_cast<char>(std::stoi(cells[2].substr(i, 2), nullptr, 16));
    }
    ASSERT_TRUE(cells[1] == "name" || cells[1] == "pattern") << line;
    ASSERT_TRUE(cells[3] == "ok" || cells[3] == "NAME_INVALID") << line;
    EXPECT_EQ(cells[1] == "name" ? is_name(text) : is_pattern(text), cells[3] == "ok") << line;
    ++count;
  }
  EXPECT_GE(count, 60U);
}

}  // namespace
}  // namespace orzatty
