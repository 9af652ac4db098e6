#include "base/timer_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/prng.h"

namespace orzatty::base {
namespace {

using Slot = TimerQueue::Slot;

constexpr Instant at(int nanoseconds) { return Instant{Duration(nanoseconds)}; }

std::vector<Slot> due(TimerQueue& timers, Instant now) {
  std::vector<Slot> slots;
  while (const auto slot = timers.pop_due(now)) slots.push_back(*slot);
  return slots;
}

TEST(TimerQueue, ADeadlineIsDueAtItsTimeAndNotBefore) {
  TimerQueue timers;
  EXPECT_EQ(timers.next(), std::nullopt);
  timers.set(3, at(10));

  EXPECT_EQ(timers.next(), at(10));
  EXPECT_EQ(timers.pop_due(at(9)), std::nullopt);
  EXPECT_EQ(timers.pop_due(at(10)), Slot{3});
  EXPECT_EQ(timers.pop_due(at(10)), std::nullopt);
  EXPECT_EQ(timers.next(), std::nullopt);
}

TEST(TimerQueue, DeadlinesComeInTheirOrderAndEqualOnesInTheOrderOfSlots) {
  TimerQueue timers;
  for (const Slot slot : {4U, 1U, 3U, 0U, 2U}) timers.set(slot, at(slot == 4 ? 5 : 10));

  EXPECT_EQ(due(timers, at(10)), (std::vector<Slot>{4, 0, 1, 2, 3}));
}

TEST(TimerQueue, ADeadlineThatMovedLaterTakesItsNewPlaceInTheOrder) {
  TimerQueue timers;
  timers.set(7, at(1));
  timers.set(3, at(10));
  timers.set(2, at(8));
  timers.set(7, at(10));

  EXPECT_EQ(due(timers, at(20)), (std::vector<Slot>{2, 3, 7}));
}

TEST(TimerQueue, ADeadlineThatMovedEarlierIsDueEarlier) {
  TimerQueue timers;
  timers.set(1, at(5));
  timers.set(2, at(10));
  timers.set(2, at(1));

  EXPECT_EQ(timers.next(), at(1));
  EXPECT_EQ(timers.pop_due(at(1)), Slot{2});
}

TEST(TimerQueue, ADeadlineThatWasTakenAwayIsNeverDue) {
  TimerQueue timers;
  timers.set(1, at(5));
  timers.set(1, std::nullopt);

  EXPECT_EQ(due(timers, at(100)), std::vector<Slot>{});
  EXPECT_EQ(timers.next(), std::nullopt);
}

TEST(TimerQueue, ADeadlineTakenAwayAndSetAgainIsDueOnce) {
  TimerQueue timers;
  timers.set(1, at(5));
  timers.set(1, std::nullopt);
  timers.set(1, at(7));

  EXPECT_EQ(due(timers, at(6)), std::vector<Slot>{});
  EXPECT_EQ(due(timers, at(7)), std::vector<Slot>{1});
}

TEST(TimerQueue, AfterAllThatWasDueIsTakenTheNextTimeLiesAhead) {
  TimerQueue timers;
  timers.set(1, at(5));
  timers.set(1, at(50));

  EXPECT_EQ(timers.pop_due(at(5)), std::nullopt);
  EXPECT_EQ(timers.next(), at(50));
}

TEST(TimerQueue, TenThousandDeadlinesThatMovedOnceComeInOrder) {
  constexpr Slot kCount = 10'000;
  Prng prng(9);
  TimerQueue timers;
  std::vector<std::pair<Instant, Slot>> expected(kCount);
  for (int turn = 0; turn < 2; ++turn) {
    for (Slot slot = 0; slot < kCount; ++slot) {
      expected[slot] = {at(static_cast<int>(prng.below(1000))), slot};
      timers.set(slot, expected[slot].first);
    }
  }

  std::ranges::sort(expected);
  for (const auto& [deadline, slot] : expected) ASSERT_EQ(timers.pop_due(at(1000)), slot);
  EXPECT_EQ(timers.next(), std::nullopt);
}

TEST(TimerQueue, AnyMixOfMovesAgreesWithASortedList) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Prng prng(seed);
    TimerQueue timers;
    std::map<Slot, Instant> model;
    int now = 0;
    for (int step = 0; step < 3000; ++step) {
      const auto slot = static_cast<Slot>(prng.below(50));
      if (prng.chance(0.2)) {
        timers.set(slot, std::nullopt);
        model.erase(slot);
      } else {
        const Instant deadline = at(now + static_cast<int>(prng.below(40)));
        timers.set(slot, deadline);
        model[slot] = deadline;
      }
      if (!prng.chance(0.2)) continue;
      now += static_cast<int>(prng.below(20));
      std::vector<std::pair<Instant, Slot>> expected;
      for (const auto& [key, deadline] : model) {
        if (deadline <= at(now)) expected.emplace_back(deadline, key);
      }
      std::ranges::sort(expected);
      for (const auto& [deadline, key] : expected) {
        ASSERT_EQ(timers.pop_due(at(now)), key);
        model.erase(key);
      }
      ASSERT_EQ(timers.pop_due(at(now)), std::nullopt);
      for (const auto& [key, deadline] : model) {
        ASSERT_TRUE(timers.next().has_value());
        ASSERT_LE(*timers.next(), deadline) << "late for slot " << key;
      }
    }
  }
}

}  // namespace
}  // namespace orzatty::base
