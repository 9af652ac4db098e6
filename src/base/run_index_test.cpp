#include "base/run_index.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/prng.h"

namespace orzatty::base {
namespace {

using namespace std::chrono_literals;

constexpr ProducerNumber kAlice(1);
constexpr ProducerNumber kBob(2);

// An index that is told what was published, and works the offsets out itself.
class RunIndexTest : public testing::Test {
 protected:
  void publish(ProducerNumber producer, std::uint64_t first_sequence, std::uint64_t count,
               Duration time = 0ms, std::uint64_t bytes = 100) {
    ASSERT_TRUE(index_.make_room());
    index_.append({.producer = producer,
                   .first_sequence = Sequence(first_sequence),
                   .first_offset = index_.next_offset(),
                   .count = count,
                   .bytes = bytes,
                   .begin = {},
                   .appended = Instant{time}});
  }
  // The offset at which the run that holds `offset` begins.
  std::optional<Offset> run_of(std::uint64_t offset) {
    const auto number = index_.find(Offset(offset));
    if (!number || index_.find(*number) == nullptr) return std::nullopt;
    return index_.find(*number)->first_offset;
  }

  SegmentPool pool_{1024 * 1024, 0};
  RunIndex index_{pool_};
};

TEST_F(RunIndexTest, AnEmptyIndexEndsWhereItBegins) {
  EXPECT_TRUE(index_.empty());
  EXPECT_EQ(index_.first_offset(), Offset(0));
  EXPECT_EQ(index_.find(Offset(0)), index_.end_number());
  EXPECT_EQ(index_.find(Offset(1)), std::nullopt);
  EXPECT_EQ(index_.find(kAlice, Sequence(0)), std::nullopt);
}

TEST_F(RunIndexTest, ARunThatGoesOnIsExtended) {
  publish(kAlice, 0, 10);
  publish(kAlice, 10, 5);

  ASSERT_EQ(index_.size(), 1U);
  EXPECT_EQ(index_.front().count, 15U);
  EXPECT_EQ(index_.front().bytes, 200U);
  EXPECT_EQ(index_.next_offset(), Offset(15));
}

TEST_F(RunIndexTest, AnotherProducerOrASkippedSequenceBeginsARun) {
  publish(kAlice, 0, 10);
  publish(kBob, 10, 1);
  publish(kBob, 12, 1);

  EXPECT_EQ(index_.size(), 3U);
  EXPECT_EQ(index_.back().first_offset, Offset(11));
}

TEST_F(RunIndexTest, ARunGrowsToItsBytesAndNoFurther) {
  publish(kAlice, 0, 1, 0ms, RunIndex::kRunBytesMax - 10);
  publish(kAlice, 1, 1, 0ms, 10);
  EXPECT_EQ(index_.size(), 1U);

  publish(kAlice, 2, 1, 0ms, 1);
  EXPECT_EQ(index_.size(), 2U);
}

TEST_F(RunIndexTest, ARunGrowsToItsAgeAndNoFurther) {
  publish(kAlice, 0, 1, 1ms);
  publish(kAlice, 1, 1, 1ms + RunIndex::kRunAgeMax);
  EXPECT_EQ(index_.size(), 1U);
  EXPECT_EQ(index_.front().appended, Instant{1ms});

  publish(kAlice, 2, 1, 1ms + RunIndex::kRunAgeMax + 1ns);
  EXPECT_EQ(index_.size(), 2U);
}

TEST_F(RunIndexTest, EveryOffsetIsFoundInItsRun) {
  publish(kAlice, 0, 10);
  publish(kBob, 0, 1);
  publish(kAlice, 10, 3);

  EXPECT_EQ(run_of(0), Offset(0));
  EXPECT_EQ(run_of(9), Offset(0));
  EXPECT_EQ(run_of(10), Offset(10));
  EXPECT_EQ(run_of(11), Offset(11));
  EXPECT_EQ(run_of(13), Offset(11));
  EXPECT_EQ(index_.find(Offset(14)), index_.end_number());
  EXPECT_EQ(index_.find(Offset(15)), std::nullopt);
}

TEST_F(RunIndexTest, ATrimmedRunIsGoneAndNumbersStayWhatTheyWere) {
  publish(kAlice, 0, 10);
  publish(kBob, 0, 5);
  const RunNumber bobs = *index_.find(Offset(10));

  index_.pop_front();

  EXPECT_EQ(index_.first_offset(), Offset(10));
  EXPECT_EQ(index_.find(Offset(9)), std::nullopt);
  EXPECT_EQ(index_.find(RunNumber(0)), nullptr);
  EXPECT_EQ(index_.find(kAlice, Sequence(0)), std::nullopt);
  EXPECT_EQ(index_.find(Offset(10)), bobs);
  EXPECT_EQ(index_.find(bobs)->producer, kBob);

  index_.pop_front();
  EXPECT_EQ(index_.first_offset(), Offset(15));
  EXPECT_EQ(index_.next_offset(), Offset(15));
}

TEST_F(RunIndexTest, AMessageOfAProducerIsFoundUnlessItWasSkipped) {
  publish(kAlice, 5, 10);
  publish(kBob, 0, 5);
  publish(kAlice, 20, 2);

  EXPECT_EQ(index_.find(kAlice, Sequence(5)), Offset(0));
  EXPECT_EQ(index_.find(kAlice, Sequence(14)), Offset(9));
  EXPECT_EQ(index_.find(kBob, Sequence(4)), Offset(14));
  EXPECT_EQ(index_.find(kAlice, Sequence(21)), Offset(16));
  EXPECT_EQ(index_.find(kAlice, Sequence(4)), std::nullopt);
  EXPECT_EQ(index_.find(kAlice, Sequence(15)), std::nullopt);
  EXPECT_EQ(index_.find(kAlice, Sequence(22)), std::nullopt);
}

TEST_F(RunIndexTest, AnyMixOfAppendsAndTrimsAgreesWithAPlainList) {
  struct Published {
    ProducerNumber producer;
    Sequence sequence;
  };
  Prng prng(5);
  std::vector<Published> model;  // by offset
  std::uint64_t next[3] = {};
  for (int step = 0; step < 3000; ++step) {
    const auto who = static_cast<std::uint32_t>(prng.below(3));
    if (prng.chance(0.2)) next[who] += prng.below(5);
    const std::uint64_t count = 1 + prng.below(20);
    publish(ProducerNumber(who), next[who], count, std::chrono::milliseconds(step),
            prng.below(40'000));
    for (std::uint64_t i = 0; i < count; ++i) {
      model.push_back({ProducerNumber(who), Sequence(next[who]++)});
    }
    if (prng.chance(0.5) && index_.size() > 50) index_.pop_front();

    const std::uint64_t offset = prng.below(model.size() + 2);
    if (offset < index_.first_offset().value() || offset > model.size()) {
      ASSERT_EQ(index_.find(Offset(offset)), std::nullopt);
    } else if (offset < model.size()) {
      const LogRun& run = *index_.find(*index_.find(Offset(offset)));
      ASSERT_LE(run.first_offset, Offset(offset));
      ASSERT_GT(run.end_offset(), Offset(offset));
      ASSERT_EQ(run.producer, model[offset].producer);
      ASSERT_EQ(index_.find(run.producer, model[offset].sequence), Offset(offset));
    }
  }
}

using RunIndexDeathTest = RunIndexTest;

TEST_F(RunIndexDeathTest, ARunThatLeavesAHoleIsABug) {
  publish(kAlice, 0, 1);
  LogRun run = index_.front();
  run.first_offset = Offset(2);
  EXPECT_DEATH(index_.append(run), "next_offset_");
}

}  // namespace
}  // namespace orzatty::base
