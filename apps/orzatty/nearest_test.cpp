#include "nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace orzatty::apps {
namespace {

TEST(EditDistance, CountsInsertedRemovedAndReplacedLetters) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("listen", "listen"), 0U);
  EXPECT_EQ(edit_distance("lissten", "listen"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Nearest, IsTheMostAlikeOfTheKnownWords) {
  constexpr std::array<std::string_view, 3> known = {"listen", "limits", "key"};

  EXPECT_EQ(nearest("limit", known), "limits");
  EXPECT_EQ(nearest("lsiten", known), "listen");
}

TEST(Nearest, AWordThatIsCutShortIsCompletedRatherThanExchanged) {
  constexpr std::array<std::string_view, 2> known = {"wait", "drop_oldest"};

  EXPECT_EQ(nearest("drop", known), "drop_oldest");
}

TEST(Nearest, IsNothingWhenNothingIsKnown) { EXPECT_EQ(nearest("x", {}), std::nullopt); }

}  // namespace
}  // namespace orzatty::apps
