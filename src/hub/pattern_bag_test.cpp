#include "hub/pattern_bag.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/prng.h"

namespace orzatty::hub {
namespace {

ChannelPattern pattern(std::string_view text) { return *ChannelPattern::parse(text); }

bool matches(const PatternBag& bag, std::string_view name) {
  return bag.may_match(*ChannelName::parse(name));
}

// spec: NAME-2, NAME-3
TEST(PatternBag, AnswersLikeEachOfItsPatternsForRandomOnesAndNames) {
  base::Prng prng(7);
  const auto token = [&](bool wild) {
    const char* const all[] = {"a", "b", "a0", "$a", "*"};
    return std::string(all[prng.next() % (wild ? 5 : 4)]);
  };
  const auto text = [&](bool wild) {
    std::string tokens = token(wild);
    for (std::uint64_t more = prng.next() % 4; more > 0; --more) tokens += "." + token(wild);
    if (wild && prng.next() % 4 == 0) tokens += ".>";
    return tokens;
  };
  for (int round = 0; round < 2000; ++round) {
    PatternBag bag;
    std::vector<ChannelPattern> patterns;
    for (int i = 0; i < 5; ++i) bag.add(patterns.emplace_back(pattern(text(true))));
    bag.remove(patterns.back());
    patterns.pop_back();
    const ChannelName name = *ChannelName::parse(text(false));
    const bool expected =
        std::ranges::any_of(patterns, [&](const ChannelPattern& one) { return one.matches(name); });
    ASSERT_EQ(bag.may_match(name), expected) << name.text();
  }
}

TEST(PatternBag, HoldsAPatternAsOftenAsItWasPutIn) {
  PatternBag bag;
  bag.add(pattern("a.*"));
  bag.add(pattern("a.*"));

  bag.remove(pattern("a.*"));
  EXPECT_TRUE(matches(bag, "a.b"));
  bag.remove(pattern("a.*"));
  EXPECT_FALSE(matches(bag, "a.b"));
  EXPECT_TRUE(bag.empty());
}

// All patterns of `a` and `*` in seven places that end in `z`.
TEST(PatternBag, GivesUpAndSaysYesWherePatternsAreMadeToBeSearchedInVain) {
  PatternBag bag;
  const auto repeated = [](std::string_view token) {
    std::string name;
    for (int i = 0; i < 7; ++i) name.append(token).append(".");
    return name;
  };
  for (std::uint32_t bits = 0; bits < (1U << 7); ++bits) {
    std::string text;
    for (std::uint32_t place = 0; place < 7; ++place) text += ((bits >> place) & 1) ? "*." : "a.";
    bag.add(pattern(text + "z"));
  }

  EXPECT_TRUE(matches(bag, repeated("a") + "b"));
  EXPECT_FALSE(matches(bag, repeated("b") + "b")) << "few of them begin like this one";
}

TEST(PatternBag, IsNotSearchedAgainForANameBeforeItsPatternsChange) {
  PatternBag bag;
  PatternBag::Answer last;
  const ChannelName name = *ChannelName::parse("a.b");
  EXPECT_FALSE(bag.may_match(name, last));
  last.yes = true;
  EXPECT_TRUE(bag.may_match(name, last)) << "as it was answered before";

  bag.add(pattern("c"));
  EXPECT_FALSE(bag.may_match(name, last));
  bag.add(pattern("a.*"));
  EXPECT_TRUE(bag.may_match(name, last));
  bag.remove(pattern("a.*"));
  EXPECT_FALSE(bag.may_match(name, last));
}

}  // namespace
}  // namespace orzatty::hub
