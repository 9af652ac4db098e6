#include "base/ring.h"

#include <gtest/gtest.h>

#include <vector>

#include <deque>
#include <memory>

#include "base/prng.h"

namespace orzatty::base {
namespace {

TEST(Ring, AnyMixOfPushesAndPopsAgreesWithADeque) {
  Prng prng(1);
  Ring<std::uint64_t> ring;
  std::deque<std::uint64_t> model;
  for (int step = 0; step < 20'000; ++step) {
    if (prng.chance(step % 4000 < 2000 ? 0.6 : 0.4)) {
      model.push_back(prng.next());
      ring.push_back(model.back());
    } else if (!model.empty()) {
      ASSERT_EQ(ring.pop_front(), model.front());
      model.pop_front();
    }
    ASSERT_EQ(ring.size(), model.size());
    if (model.empty()) continue;
    const std::uint64_t index = prng.below(model.size());
    ASSERT_EQ(ring[index], model[index]);
    ASSERT_EQ(ring.front(), model.front());
    ASSERT_EQ(ring.back(), model.back());
  }
}

TEST(Ring, WhatWasPoppedOrClearedIsNotKeptAlive) {
  Ring<std::shared_ptr<int>> ring;
  const auto item = std::make_shared<int>(1);
  for (int i = 0; i < 3; ++i) ring.push_back(item);

  ring.pop_front();
  EXPECT_EQ(item.use_count(), 3);
  ring.clear();
  EXPECT_EQ(item.use_count(), 1);
  EXPECT_TRUE(ring.empty());
}

TEST(RingDeathTest, LookingIntoAnEmptyRingIsABug) {
  Ring<int> ring;
  EXPECT_DEATH((void)ring.front(), "index");
  EXPECT_DEATH((void)ring.back(), "index");
  EXPECT_DEATH(ring.pop_front(), "index");
}

TEST(Ring, InsertsAndErasesAnywhereAndKeepsTheOrder) {
  for (const std::size_t at : {0U, 1U, 4U, 7U, 8U}) {
    Ring<int> ring;
    for (int i = 0; i < 5; ++i) ring.push_back(-1);
    for (int i = 0; i < 5; ++i) ring.pop_front();  // so that it wraps
    std::vector<int> model;
    for (int i = 0; i < 8; ++i) {
      ring.push_back(i);
      model.push_back(i);
    }
    const auto place = static_cast<std::ptrdiff_t>(at);
    const auto expect_model = [&] {
      ASSERT_EQ(ring.size(), model.size());
      for (std::size_t i = 0; i < model.size(); ++i) EXPECT_EQ(ring[i], model[i]) << at;
    };

    ring.insert(at, 100);
    model.insert(model.begin() + place, 100);
    expect_model();

    ring.erase(at);
    model.erase(model.begin() + place);
    expect_model();
  }
}

}  // namespace
}  // namespace orzatty::base
