#include "base/newsline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

namespace orzatty::base {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NewslineTest : public ::testing::Test {
 protected:
  NewslineTest() {
    for (std::size_t i = 0; i < items.size(); ++i) items[i].of = i;
  }
  std::vector<std::uint64_t> taken() {
    std::vector<std::uint64_t> taken;
    line.take([&](const Newsline::Item& item) { taken.push_back(item.of); });
    return taken;
  }

  Newsline line;
  std::array<Newsline::Item, 3> items;
};

TEST_F(NewslineTest, WithoutNewsThereIsNothingToTake) {
  EXPECT_TRUE(line.empty());
  EXPECT_THAT(taken(), IsEmpty());
}

TEST_F(NewslineTest, WhoToldAreTakenInTheirOrder) {
  line.tell(items[2]);
  line.tell(items[0]);
  line.tell(items[1]);
  EXPECT_FALSE(line.empty());
  EXPECT_THAT(taken(), ElementsAre(2, 0, 1));
  EXPECT_TRUE(line.empty());
}

TEST_F(NewslineTest, WhoTellsTwiceIsTakenOnce) {
  line.tell(items[1]);
  line.tell(items[1]);
  EXPECT_THAT(taken(), ElementsAre(1));
}

TEST_F(NewslineTest, WhoWasTakenMayTellAgain) {
  line.tell(items[1]);
  EXPECT_THAT(taken(), ElementsAre(1));
  line.tell(items[1]);
  EXPECT_THAT(taken(), ElementsAre(1));
}

TEST_F(NewslineTest, WhoIsLookedAtMayTellAgainAtOnce) {
  line.tell(items[0]);
  line.take([&](Newsline::Item& item) { line.tell(item); });
  EXPECT_THAT(taken(), ElementsAre(0));
}

// The thread sanitizer runs it too.
TEST_F(NewslineTest, WhateverThreadsTellNothingStaysUntaken) {
  constexpr std::uint64_t kCount = 20'000;
  std::array<std::atomic<std::uint64_t>, 3> written{};
  std::array<std::uint64_t, 3> seen{};
  const auto look = [&](const Newsline::Item& item) {
    seen[item.of] = written[item.of].load(std::memory_order_acquire);
  };
  {
    std::vector<std::jthread> writers;
    for (std::size_t i = 0; i < items.size(); ++i) {
      writers.emplace_back([&, i] {
        for (std::uint64_t n = 1; n <= kCount; ++n) {
          written[i].store(n, std::memory_order_release);
          line.tell(items[i]);
        }
      });
    }
    for (int turn = 0; turn < 1'000; ++turn) line.take(look);
  }
  line.take(look);
  for (const Newsline::Item& item : items) look(item);  // as before sleeping
  EXPECT_THAT(seen, ElementsAre(kCount, kCount, kCount));
}

}  // namespace
}  // namespace orzatty::base
