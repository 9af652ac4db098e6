#include "lab/path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace orzatty::lab {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSeed = 42;
constexpr int kCount = 20'000;  // enough that a share of 1 % is known to a tenth of itself

// What came out of a path for numbered datagrams, sent 1 ms apart.
struct Journey {
  std::vector<std::string> texts;  // in the order of arrival
  std::vector<Instant> times;
  PathCounts counts;
};

Journey journey_over(const Conditions& conditions, std::uint64_t seed = kSeed, int count = kCount,
                     Duration apart = 1ms) {
  Path path(conditions, seed);
  std::vector<Path::Arrival> arrivals;
  Instant now{};
  for (int i = 0; i < count; ++i, now += apart) {
    auto made = path.carry(bytes_of(std::to_string(i)), now);
    for (std::size_t k = 0; k < made.count; ++k) arrivals.push_back(std::move(made.items[k]));
  }
  std::ranges::stable_sort(arrivals, {}, &Path::Arrival::at);
  Journey journey{.texts = {}, .times = {}, .counts = path.counts};
  for (const Path::Arrival& arrival : arrivals) {
    journey.texts.emplace_back(text_of(arrival.bytes));
    journey.times.push_back(arrival.at);
  }
  return journey;
}

double share(std::uint64_t part) { return static_cast<double>(part) / kCount; }

bool in_order(const Journey& journey) {
  return std::ranges::is_sorted(journey.texts, {},
                                [](const std::string& text) { return std::stoi(text); });
}

TEST(Path, WithoutFaultsEverythingArrivesAtOnceAndUnchanged) {
  const Journey journey = journey_over({});

  EXPECT_EQ(journey.texts.size(), kCount);
  EXPECT_TRUE(in_order(journey));
  EXPECT_EQ(journey.times.back(), Instant{} + (kCount - 1) * 1ms);
  EXPECT_EQ(journey.counts.sent, kCount);
  EXPECT_EQ(journey.counts.all_lost(), 0U);
}

TEST(Path, TheSameSeedGivesTheSameFaultsAndAnotherOneOthers) {
  const Conditions conditions{.jitter = 5ms, .loss = 0.1, .reordering = 0.1, .corruption = 0.1};

  const Journey first = journey_over(conditions, 1);

  EXPECT_EQ(journey_over(conditions, 1).texts, first.texts);
  EXPECT_EQ(journey_over(conditions, 1).times, first.times);
  EXPECT_NE(journey_over(conditions, 2).texts, first.texts);
}

TEST(Path, LosesItsShare) {
  const Journey journey = journey_over({.loss = 0.05});

  EXPECT_NEAR(share(journey.counts.lost), 0.05, 0.01);
  EXPECT_EQ(journey.texts.size() + journey.counts.lost, kCount);
}

TEST(Path, LosesInARowWhenItLosesInBursts) {
  const Journey journey = journey_over({.bursts = {.begins = 0.01, .ends = 0.1, .loss = 1}});

  // A burst begins after 100 datagrams and takes 10 of them.
  EXPECT_NEAR(share(journey.counts.lost_in_burst), 10.0 / 110, 0.03);
  std::uint64_t pairs = 0;
  for (std::size_t i = 1; i < journey.texts.size(); ++i) {
    pairs += std::stoi(journey.texts[i]) > std::stoi(journey.texts[i - 1]) + 5 ? 1U : 0U;
  }
  EXPECT_GT(pairs, 50U);  // without bursts, five in a row would be lost less than once
}

TEST(Path, ABurstIsOverAfterASecondHoweverLittleIsSent) {
  Path path({.bursts = {.begins = 1, .ends = 0, .loss = 1}}, kSeed);
  const Instant start{};

  EXPECT_EQ(path.carry(bytes_of("x"), start).count, 0U);
  EXPECT_EQ(path.carry(bytes_of("x"), start + Bursts::kTimeMax - 1ns).count, 0U);
  EXPECT_EQ(path.carry(bytes_of("x"), start + Bursts::kTimeMax).count, 1U);
}

TEST(Path, DelaysByItsDelayAndAtMostItsJitterMoreAndKeepsTheOrder) {
  Path path({.delay = 20ms, .jitter = 10ms}, kSeed);
  Instant now{};
  Instant last{};
  Duration longest{};
  for (int i = 0; i < 1000; ++i, now += 1ms) {
    const auto arrivals = path.carry(bytes_of("x"), now);

    ASSERT_EQ(arrivals.count, 1U);
    const Instant at = arrivals.items[0].at;
    EXPECT_GE(at - now, 20ms);
    EXPECT_LE(at - now, 30ms);
    EXPECT_GE(at, last);
    last = at;
    longest = std::max(longest, at - now);
  }
  EXPECT_GT(longest, 28ms);
}

TEST(Path, ReordersItsShareThoughItHasNoDelay) {
  const Journey journey = journey_over({.reordering = 0.1}, kSeed, kCount, 100us);

  EXPECT_EQ(journey.texts.size(), kCount);
  EXPECT_FALSE(in_order(journey));
  EXPECT_NEAR(share(journey.counts.reordered), 0.1, 0.02);
}

TEST(Path, DuplicatesItsShare) {
  const Journey journey = journey_over({.duplication = 0.02});

  EXPECT_NEAR(share(journey.counts.duplicated), 0.02, 0.005);
  EXPECT_EQ(journey.texts.size(), kCount + journey.counts.duplicated);
}

TEST(Path, CorruptsItsShareAndKeepsTheSize) {
  Path path({.corruption = 0.3}, kSeed);
  const std::string text(1200, 'x');
  int changed = 0;
  for (int i = 0; i < kCount; ++i) {
    const auto arrivals = path.carry(bytes_of(text), Instant{});

    ASSERT_EQ(arrivals.items[0].bytes.size(), text.size());
    changed += text_of(arrivals.items[0].bytes) == text ? 0 : 1;
  }
  EXPECT_NEAR(share(path.counts.corrupted), 0.3, 0.02);
  EXPECT_NEAR(changed, static_cast<double>(path.counts.corrupted), 10);  // a bit may flip twice
}

TEST(Path, TruncatesItsShareToLess) {
  Path path({.truncation = 0.5}, kSeed);
  const std::string text(100, 'x');
  std::uint64_t shorter = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto arrivals = path.carry(bytes_of(text), Instant{});

    shorter += arrivals.items[0].bytes.size() < text.size() ? 1U : 0U;
  }
  EXPECT_EQ(shorter, path.counts.truncated);
  EXPECT_NEAR(static_cast<double>(shorter), 500, 50);
}

TEST(Path, TheLargestDatagramThatFitsPassesAndOneByteMoreVanishes) {
  Path path({.mtu = 1200}, kSeed);

  EXPECT_EQ(path.carry(Bytes(1200), Instant{}).count, 1U);
  EXPECT_EQ(path.carry(Bytes(1201), Instant{}).count, 0U);

  EXPECT_EQ(path.counts.too_large, 1U);
}

TEST(Path, WhatIsSentFasterThanItsRateWaitsInLine) {
  Path path({.rate = 100'000}, kSeed);  // 1,000 bytes take 10 ms

  EXPECT_EQ(path.carry(Bytes(1000), Instant{}).items[0].at, Instant{} + 10ms);
  EXPECT_EQ(path.carry(Bytes(1000), Instant{}).items[0].at, Instant{} + 20ms);
  EXPECT_EQ(path.carry(Bytes(1000), Instant{} + 1s).items[0].at, Instant{} + 1010ms);
}

TEST(Path, WhatNoLongerFitsItsQueueIsLostUntilThereIsRoomAgain) {
  Path path({.rate = 100'000, .queue_bytes = 2000}, kSeed);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(path.carry(Bytes(1000), Instant{}).count, 1U);

  EXPECT_EQ(path.carry(Bytes(1000), Instant{}).count, 0U);
  EXPECT_EQ(path.counts.overflowed, 1U);
  EXPECT_EQ(path.carry(Bytes(1000), Instant{} + 10ms).count, 1U);
}

TEST(Path, ClosedItIsABlackHoleAndWhatWasOnItsWayBeforeStillArrives) {
  Path path({.delay = 50ms}, kSeed);
  const auto before = path.carry(bytes_of("before"), Instant{});
  path.conditions.open = false;

  EXPECT_EQ(path.carry(bytes_of("lost"), Instant{} + 1ms).count, 0U);

  EXPECT_EQ(before.count, 1U);
  EXPECT_EQ(path.counts.cut, 1U);
  path.conditions.open = true;
  EXPECT_EQ(path.carry(bytes_of("after"), Instant{} + 2ms).count, 1U);
}

TEST(PathCounts, AddUp) {
  PathCounts one{.sent = 10,
                 .lost = 1,
                 .lost_in_burst = 2,
                 .overflowed = 3,
                 .too_large = 1,
                 .cut = 2,
                 .reordered = 5,
                 .duplicated = 6,
                 .corrupted = 7,
                 .truncated = 8};
  const PathCounts other = one;

  one += other;

  const PathCounts twice{.sent = 20,
                         .lost = 2,
                         .lost_in_burst = 4,
                         .overflowed = 6,
                         .too_large = 2,
                         .cut = 4,
                         .reordered = 10,
                         .duplicated = 12,
                         .corrupted = 14,
                         .truncated = 16};
  EXPECT_EQ(one, twice);
  EXPECT_EQ(one.all_lost(), 18U);
}

}  // namespace
}  // namespace orzatty::lab
