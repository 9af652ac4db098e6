#include "base/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"

namespace orzatty::base {
namespace {

constexpr std::uint32_t kHeaderSize = sizeof(Segment);
constexpr std::uint32_t kFirstCapacity = 512 - kHeaderSize;
constexpr std::uint32_t kSecondCapacity = 4096 - kHeaderSize;

Bytes pattern(std::size_t size, std::uint64_t seed = 1) {
  Bytes bytes(size);
  Prng(seed).fill(bytes);
  return bytes;
}

// A log in a pool of its own, whose reader has seen what is published.
class LogTest : public testing::Test {
 protected:
  std::uint64_t published_bytes() { return (seen_ = log_->published(seen_)).bytes; }
  std::uint64_t published_messages() { return (seen_ = log_->published(seen_)).messages; }

  // Everything from `cursor` on, and in how many pieces it came.
  std::pair<Bytes, std::size_t> read(LogCursor cursor) {
    std::pair<Bytes, std::size_t> all;
    while (cursor.position < published_bytes()) {
      const Piece piece = Log::take(cursor, published_bytes() - cursor.position);
      all.first.insert(all.first.end(), piece.bytes.begin(), piece.bytes.end());
      ++all.second;
    }
    return all;
  }
  LogCursor at(std::uint64_t position) {
    LogCursor cursor = log_->begin();
    Log::skip(cursor, position - cursor.position);
    return cursor;
  }

  SegmentPool pool_{std::size_t{1024} * 1024, std::size_t{256} * 1024};
  std::unique_ptr<Log> log_ = std::make_unique<Log>(pool_, 512U);
  Published seen_;
};

TEST_F(LogTest, MessagesAreReadBackInOneStreamInTheOrderOfTheirAppends) {
  ASSERT_TRUE(log_->append(bytes_of("1:"), bytes_of("one "), 1));
  ASSERT_TRUE(log_->append(bytes_of("mark "), 0));
  ASSERT_TRUE(log_->append(bytes_of("2:"), bytes_of("two"), 1));

  const auto [bytes, pieces] = read(log_->begin());
  EXPECT_EQ(text_of(bytes), "1:one mark 2:two");
  EXPECT_EQ(pieces, 1U);
  EXPECT_EQ(published_messages(), 2U);
}

TEST_F(LogTest, AMessageThatFillsTheSegmentLiesInOneAndOneByteMoreInTwo) {
  ASSERT_TRUE(log_->append(pattern(kFirstCapacity), 1));
  EXPECT_EQ(pool_.in_use(), 512U);
  EXPECT_EQ(read(log_->begin()).second, 1U);

  ASSERT_TRUE(log_->append(bytes_of("x"), 1));
  EXPECT_EQ(pool_.in_use(), 512U + 4096U);
  EXPECT_EQ(read(log_->begin()).second, 2U);
}

TEST_F(LogTest, WhatIsDroppedInTheMiddleGoesBackToThePoolAndBothSidesAreReadAsBefore) {
  const Bytes filling = pattern(std::size_t{200} * 1024);
  ASSERT_TRUE(log_->append(bytes_of("before"), 1));
  const LogCursor from = log_->end();
  ASSERT_TRUE(log_->append(filling, 1));
  const LogCursor to = at(published_bytes());
  ASSERT_TRUE(log_->append(bytes_of("behind"), 1));
  const std::size_t held = pool_.in_use();

  log_->drop(from, to);
  log_->drop(from, to);  // nothing is left of it

  EXPECT_LE(pool_.in_use() + 2 * std::size_t{64} * 1024, held);
  LogCursor reading = log_->begin();
  EXPECT_EQ(text_of(Log::take(reading, 6).bytes), "before");
  EXPECT_EQ(text_of(read(to).first), "behind");
  log_->trim(to);
  EXPECT_LE(pool_.in_use(), std::size_t{128} * 1024);
  EXPECT_EQ(text_of(read(log_->begin()).first), "behind");
}

TEST_F(LogTest, AHeaderThatSpansTwoSegmentsIsReadWhole) {
  const Bytes filling = pattern(kFirstCapacity - 3);
  ASSERT_TRUE(log_->append(filling, 1));

  ASSERT_TRUE(log_->append(bytes_of("header"), bytes_of(" body"), 1));

  EXPECT_EQ(text_of(read(at(filling.size())).first), "header body");
}

TEST_F(LogTest, AShortHeaderIsAppendedAsItsBytesAreWhereverTheSegmentEnds) {
  constexpr std::array<std::uint8_t, 4> kWord{1, 2, 0, 255};  // the fourth byte is none of it
  constexpr ShortHeader kHeader{.bytes = std::bit_cast<std::uint32_t>(kWord), .size = 3};
  const Bytes header{std::byte{1}, std::byte{2}, std::byte{0}};
  for (std::size_t room = 0; room <= 16; ++room) {
    log_ = std::make_unique<Log>(pool_, 512U);
    seen_ = {};
    Bytes all = pattern(kFirstCapacity - room);
    ASSERT_TRUE(log_->append(all, 1));
    const Bytes body = pattern(8, room);
    ASSERT_TRUE(log_->append(kHeader, body, 1));
    all.insert(all.end(), header.begin(), header.end());
    all.insert(all.end(), body.begin(), body.end());
    EXPECT_EQ(read(log_->begin()).first, all) << room;
    EXPECT_EQ(published_messages(), 2U);
  }
}

TEST_F(LogTest, AMessageLargerThanManySegmentsIsReadWhole) {
  const Bytes body = pattern(300'000);

  ASSERT_TRUE(log_->append(bytes_of("header"), body, 1));

  const auto [bytes, pieces] = read(at(6));
  EXPECT_EQ(bytes, body);
  EXPECT_GE(pieces, 5U);
}

TEST_F(LogTest, SegmentsGrowFromClassToClass) {
  ASSERT_TRUE(log_->append(pattern(kFirstCapacity + 1), 1));
  EXPECT_EQ(pool_.in_use(), 512U + 4096U);

  ASSERT_TRUE(log_->append(pattern(kSecondCapacity), 1));
  EXPECT_EQ(pool_.in_use(), 512U + 4096U + 65536U);

  ASSERT_TRUE(log_->append(pattern(65536 - kHeaderSize), 1));
  EXPECT_EQ(pool_.in_use(), 512U + 4096U + 2 * 65536U);
}

TEST_F(LogTest, SegmentsGrowNoFurtherThanTheLargestAskedFor) {
  Log quiet(pool_, 512, 4096);

  ASSERT_TRUE(quiet.append(pattern(kFirstCapacity + 2 * kSecondCapacity), 1));

  EXPECT_EQ(pool_.in_use(), 512U + 512U + 2 * 4096U);
}

TEST(Log, AMessageForWhichThePoolHasNoRoomIsNotAppendedAtAll) {
  SegmentPool pool(512 + 4096, 4096);
  Log log(pool, 512, 4096);
  const std::size_t room = kFirstCapacity + kSecondCapacity;

  EXPECT_FALSE(log.append(bytes_of("h"), pattern(room), 1));
  EXPECT_EQ(log.published({}).bytes, 0U);
  EXPECT_EQ(log.published({}).messages, 0U);
  EXPECT_EQ(pool.in_use(), 512U);

  const Bytes largest = pattern(room - 1);
  ASSERT_TRUE(log.append(bytes_of("h"), largest, 1));
  LogCursor cursor = log.begin();
  Log::skip(cursor, 1);
  const Piece first = Log::take(cursor, room);
  const Piece second = Log::take(cursor, room - 1 - first.bytes.size());
  EXPECT_TRUE(std::ranges::equal(first.bytes, BytesView(largest).first(first.bytes.size())));
  EXPECT_TRUE(std::ranges::equal(second.bytes, BytesView(largest).subspan(first.bytes.size())));
}

TEST(Log, SegmentsTakenForAMessageThatDoesNotFitGoBackAndTheNextOneUsesThem) {
  SegmentPool pool(512 + 3 * 4096, 0);
  Log log(pool, 512, 4096);
  const std::size_t room = kFirstCapacity + 3 * std::size_t{kSecondCapacity};

  for (int i = 0; i < 3; ++i) EXPECT_FALSE(log.append(pattern(room + 1), 1));
  EXPECT_EQ(pool.in_use(), 512U);
  EXPECT_EQ(log.end().position, 0U);

  EXPECT_TRUE(log.append(pattern(room), 1));
  EXPECT_EQ(pool.in_use(), 512U + 3 * 4096U);
}

TEST(Log, AfterATrimThereIsRoomForWhatHadNone) {
  SegmentPool pool(2 * 4096, 4096);
  Log log(pool, 4096, 4096);
  ASSERT_TRUE(log.append(pattern(2 * std::size_t{kSecondCapacity}), 1));
  ASSERT_FALSE(log.append(bytes_of("x"), 1));
  LogCursor cursor = log.begin();
  Log::skip(cursor, kSecondCapacity + 1);

  log.trim(cursor);

  EXPECT_TRUE(log.append(bytes_of("x"), 1));
}

TEST_F(LogTest, TakeGivesAtMostWhatWasAskedForAndWhatLiesTogether) {
  ASSERT_TRUE(log_->append(pattern(1000), 1));
  LogCursor cursor = log_->begin();

  EXPECT_EQ(Log::take(cursor, 1).bytes.size(), 1U);
  EXPECT_EQ(Log::take(cursor, 999).bytes.size(), kFirstCapacity - 1);
  EXPECT_EQ(Log::take(cursor, 1000 - kFirstCapacity).bytes.size(), 1000 - kFirstCapacity);
  EXPECT_EQ(cursor.position, 1000U);
}

TEST_F(LogTest, ACursorAtTheEndOfAFullSegmentGoesOnWhenMoreIsPublished) {
  ASSERT_TRUE(log_->append(pattern(kFirstCapacity), 1));
  LogCursor taken = log_->begin();
  (void)Log::take(taken, kFirstCapacity);
  LogCursor skipped = at(kFirstCapacity);
  LogCursor ended = log_->end();
  log_->trim(taken);

  ASSERT_TRUE(log_->append(bytes_of("more"), 1));

  EXPECT_EQ(text_of(Log::take(taken, 4).bytes), "more");
  EXPECT_EQ(text_of(Log::take(skipped, 4).bytes), "more");
  EXPECT_EQ(text_of(Log::take(ended, 4).bytes), "more");
  EXPECT_EQ(text_of(read(log_->begin()).first), "more");
}

TEST_F(LogTest, TheEndSeesOnlyWhatComes) {
  ASSERT_TRUE(log_->append(bytes_of("past"), 1));
  const LogCursor end = log_->end();

  ASSERT_TRUE(log_->append(bytes_of("future"), 1));

  EXPECT_EQ(text_of(read(end).first), "future");
}

TEST_F(LogTest, TrimReleasesTheSegmentsBeforeTheCursorAndNoOther) {
  ASSERT_TRUE(log_->append(pattern(kFirstCapacity + kSecondCapacity + 1), 1));

  log_->trim(at(kFirstCapacity));
  EXPECT_EQ(pool_.in_use(), 512U + 4096U + 65536U);
  log_->trim(at(kFirstCapacity + 1));
  EXPECT_EQ(pool_.in_use(), 4096U + 65536U);
  log_->trim(log_->end());
  EXPECT_EQ(pool_.in_use(), 65536U);
  EXPECT_EQ(log_->begin().position, published_bytes());
}

TEST_F(LogTest, APinnedPieceOutlivesItsPlaceAndItsLog) {
  const Bytes body = pattern(kFirstCapacity);
  ASSERT_TRUE(log_->append(body, 1));
  ASSERT_TRUE(log_->append(bytes_of("x"), 1));
  LogCursor cursor = log_->begin();
  Piece piece = Log::take(cursor, kFirstCapacity);

  log_->trim(log_->end());
  EXPECT_EQ(pool_.in_use(), 512U + 4096U);
  log_.reset();
  EXPECT_EQ(pool_.in_use(), 512U);
  EXPECT_TRUE(std::ranges::equal(piece.bytes, body));
  piece = {};
  EXPECT_EQ(pool_.in_use(), 0U);
}

TEST_F(LogTest, ALogThatEndsGivesAllItsSegmentsBack) {
  ASSERT_TRUE(log_->append(pattern(200'000), 1));

  log_.reset();

  EXPECT_EQ(pool_.in_use(), 0U);
}

TEST_F(LogTest, TheCountOfMessagesGoesOnWhereTheWordWrapsForAReaderThatFollows) {
  const std::uint64_t step = (std::uint64_t{1} << 24) - 1;

  for (std::uint64_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(log_->append(bytes_of("."), step));
    EXPECT_EQ(published_messages(), i * step);
    EXPECT_EQ(published_bytes(), i);
  }
}

TEST_F(LogTest, AnyMixOfAppendsTakesSkipsAndTrimsAgreesWithPlainBytes) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Prng prng(seed);
    SegmentPool pool(512 + 4096 + 3 * 65536, 65536);
    Log log(pool, 512);
    Bytes plain;  // all that was ever appended
    Published seen;
    LogCursor cursor = log.begin();
    std::deque<std::pair<Piece, std::size_t>> pinned;  // and where each began
    for (int step = 0; step < 2000; ++step) {
      const Bytes body = pattern(prng.below(prng.chance(0.1) ? 20'000 : 200), prng.next());
      if (log.append(BytesView(body).first(body.size() / 2),
                     BytesView(body).subspan(body.size() / 2), 1)) {
        plain.insert(plain.end(), body.begin(), body.end());
      } else {
        pinned.clear();
        log.trim(cursor);
      }
      seen = log.published(seen);
      ASSERT_EQ(seen.bytes, plain.size());
      const std::uint64_t waiting = seen.bytes - cursor.position;
      if (prng.chance(0.1)) Log::skip(cursor, prng.below(waiting + 1));
      if (cursor.position < seen.bytes && prng.chance(0.7)) {
        const std::size_t from = cursor.position;
        pinned.emplace_back(Log::take(cursor, seen.bytes - from), from);
      }
      if (prng.chance(0.2)) log.trim(cursor);
      if (pinned.size() <= 3) continue;
      const auto& [piece, from] = pinned.front();
      ASSERT_TRUE(
          std::ranges::equal(piece.bytes, BytesView(plain).subspan(from, piece.bytes.size())));
      pinned.pop_front();
    }
  }
}

using LogDeathTest = LogTest;

TEST_F(LogDeathTest, TakingNothingIsABug) {
  LogCursor cursor = log_->begin();
  EXPECT_DEATH((void)Log::take(cursor, 0), "size_max > 0");
}

TEST_F(LogDeathTest, TrimmingBackwardsIsABug) {
  ASSERT_TRUE(log_->append(bytes_of("x"), 1));
  const LogCursor begin = log_->begin();
  log_->trim(log_->end());
  EXPECT_DEATH(log_->trim(begin), "cursor.position");
}

}  // namespace
}  // namespace orzatty::base
