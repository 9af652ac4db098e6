#include "hub/subject_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/prng.h"
#include "hub/delivery.h"

namespace orzatty::hub {
namespace {

class Patterns {
 public:
  SubjectIndex index;

  Delivery& add(std::string_view pattern) {
    deliveries_.push_back(std::make_unique<Delivery>(
        base::SlabKey{static_cast<std::uint32_t>(deliveries_.size() % 7), 1},
        SubscriptionId(deliveries_.size()), *ChannelPattern::parse(pattern),
        session::StreamKey(1)));
    index.add(*deliveries_.back());
    return *deliveries_.back();
  }
  [[nodiscard]] std::vector<std::string> matching(std::string_view name) const {
    std::vector<Delivery*> found;
    index.match(*ChannelName::parse(name), found);
    std::vector<std::string> texts;
    for (const Delivery* delivery : found) texts.emplace_back(delivery->pattern().text());
    return texts;
  }
  [[nodiscard]] const std::vector<std::unique_ptr<Delivery>>& all() const { return deliveries_; }

 private:
  std::vector<std::unique_ptr<Delivery>> deliveries_;
};

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// spec: NAME-2
TEST(SubjectIndex, FindsThePatternsThatMatchAName) {
  Patterns patterns;
  for (const char* pattern : {"a.*", "a.>", "*.b", "*", ">", "a.*.c", "a.b", "a.b.>"}) {
    patterns.add(pattern);
  }

  EXPECT_THAT(patterns.matching("a"), UnorderedElementsAre("*", ">"));
  EXPECT_THAT(patterns.matching("a.b"), UnorderedElementsAre("a.*", "a.>", "*.b", ">", "a.b"));
  EXPECT_THAT(patterns.matching("a.b.c"), UnorderedElementsAre("a.>", ">", "a.*.c", "a.b.>"));
  EXPECT_THAT(patterns.matching("b.c.d"), UnorderedElementsAre(">"));
}

// spec: NAME-3
TEST(SubjectIndex, MatchesReservedNamesOnlyByALiteralFirstToken) {
  Patterns patterns;
  for (const char* pattern : {">", "*.stats", "$sys.*", "$sys.>"}) patterns.add(pattern);

  EXPECT_THAT(patterns.matching("$sys.stats"), UnorderedElementsAre("$sys.*", "$sys.>"));
}

TEST(SubjectIndex, ForgetsWhatWasRemovedAndOnlyThat) {
  Patterns patterns;
  Delivery& first = patterns.add("a.*");
  patterns.add("a.*");
  Delivery& rest = patterns.add("a.>");
  EXPECT_EQ(patterns.index.size(), 3U);

  patterns.index.remove(first);
  patterns.index.remove(rest);

  EXPECT_EQ(patterns.index.size(), 1U);
  EXPECT_THAT(patterns.matching("a.b"), ElementsAre("a.*"));
}

TEST(SubjectIndex, FindsNothingWhenNothingIsThere) {
  Patterns patterns;
  patterns.index.remove(patterns.add("a.b.*"));

  EXPECT_THAT(patterns.matching("a.b.c"), IsEmpty());
}

TEST(SubjectIndex, AgreesWithThePatternsThemselves) {
  base::Prng prng(3);
  const auto draw = [&](bool wildcards) {
    std::string text;
    for (std::uint64_t left = 1 + prng.below(4); left > 0; --left) {
      if (!text.empty()) text += '.';
      const std::uint64_t token = prng.below(wildcards ? 6 : 3);
      if (token == 5 && left == 1) {
        text += '>';
      } else if (token >= 3) {
        text += '*';
      } else {
        text += "$ab"[token];
      }
    }
    return text;
  };
  Patterns patterns;
  for (int i = 0; i < 500; ++i) patterns.add(draw(true));
  for (std::size_t i = 0; i < 500; i += 3) patterns.index.remove(*patterns.all()[i]);

  for (int i = 0; i < 500; ++i) {
    const std::string name = draw(false);
    std::vector<std::string> expected;
    for (std::size_t k = 0; k < 500; ++k) {
      const ChannelPattern& pattern = patterns.all()[k]->pattern();
      if (k % 3 != 0 && pattern.matches(*ChannelName::parse(name))) {
        expected.emplace_back(pattern.text());
      }
    }
    EXPECT_THAT(patterns.matching(name), testing::UnorderedElementsAreArray(expected)) << name;
  }
}

}  // namespace
}  // namespace orzatty::hub
