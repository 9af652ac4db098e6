#include "wire/framer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/close.h"
#include "wire/ping.h"
#include "wire/subscribed.h"
#include "wire/test_bytes.h"
#include "wire/varint.h"

namespace orzatty::wire {
namespace {

using test::bytes;

struct Outcome {
  std::vector<Bytes> frames;
  ErrorCode fault = ErrorCode::kNone;
  bool operator==(const Outcome&) const = default;
};

// Feeds one part and takes all frames out of it; false after an error.
bool feed(Framer& framer, BytesView part, Outcome& outcome) {
  framer.feed(part);
  while (true) {
    const auto frame = framer.next();
    if (!frame) {
      outcome.fault = frame.error().code;
      return false;
    }
    if (!*frame) return true;
    outcome.frames.push_back(copy_of((*frame)->whole));
    EXPECT_EQ((*frame)->body.data() + (*frame)->body.size(),
              (*frame)->whole.data() + (*frame)->whole.size());
  }
}

constexpr std::uint32_t kMessageSizeMax = 100'000;

Outcome read_in_parts(BytesView stream, std::size_t part_size) {
  Framer framer(kMessageSizeMax, kControlSizeMax);
  Outcome outcome;
  for (std::size_t at = 0; at < stream.size(); at += part_size) {
    // A copy of its own, so that a read beyond the part is seen by the sanitizer.
    const Bytes part = copy_of(stream.subspan(at, std::min(part_size, stream.size() - at)));
    if (!feed(framer, part, outcome)) break;
  }
  return outcome;
}

Outcome read_split_at(BytesView stream, std::size_t split) {
  Framer framer(kMessageSizeMax, kControlSizeMax);
  Outcome outcome;
  const Bytes first = copy_of(stream.first(split));
  const Bytes second = copy_of(stream.subspan(split));
  if (feed(framer, first, outcome)) feed(framer, second, outcome);
  return outcome;
}

Bytes with_header(std::uint8_t head, std::uint64_t size) {
  Bytes out = bytes({head});
  std::array<std::byte, kVarintSizeMax> length;
  test::append(out, BytesView(length).first(encode_varint(length, size)));
  return out;
}

Bytes frame(std::uint8_t head, std::size_t size) {
  Bytes out = with_header(head, size);
  out.insert(out.end(), size, std::byte{0x5a});
  return out;
}

Bytes mixed_stream() {
  Bytes stream;
  encode(Ping{}, stream);
  test::append(stream, frame(0x00, 0));
  test::append(stream, frame(0x9f, 0));  // extensions, to be skipped
  test::append(stream, frame(0x98, 200));
  encode(Close{ErrorCode::kDraining, std::string(100, 'x')}, stream);
  test::append(stream, frame(0x00, 300));
  encode(Subscribed{SubscriptionId(70'000), 1}, stream);
  return stream;
}

// spec: FRAME-6
TEST(Framer, EverySplitOfAStreamGivesTheSameFrames) {
  const Bytes stream = mixed_stream();
  const Outcome whole = read_in_parts(stream, stream.size());
  ASSERT_EQ(whole.fault, ErrorCode::kNone);
  ASSERT_EQ(whole.frames.size(), 5U);  // the two extensions are not seen

  for (std::size_t split = 0; split <= stream.size(); ++split) {
    EXPECT_EQ(read_split_at(stream, split), whole) << "split at " << split;
  }
  for (const std::size_t part : {1U, 2U, 3U, 7U, 64U}) {
    EXPECT_EQ(read_in_parts(stream, part), whole) << "parts of " << part;
  }
}

TEST(Framer, AFrameThatIsWholeInTheInputIsNotCopied) {
  Bytes stream;
  encode(Ping{}, stream);
  Framer framer(0, kControlSizeMax);
  framer.feed(stream);
  const auto frame = framer.next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->whole.data(), stream.data());
  EXPECT_EQ(framer.held(), 0U);
}

// spec: FRAME-2
TEST(Framer, TheLargestControlFramePassesAndOneByteMoreIsRefusedOnItsHeader) {
  const Bytes largest = frame(0x89, kControlSizeMax);
  EXPECT_EQ(read_in_parts(largest, largest.size()).frames.size(), 1U);
  EXPECT_EQ(read_in_parts(largest, 1000).frames.size(), 1U);

  const Bytes header = with_header(0x89, kControlSizeMax + 1);
  EXPECT_EQ(read_in_parts(header, header.size()).fault, ErrorCode::kFrameTooLarge);
  EXPECT_EQ(read_in_parts(header, 1).fault, ErrorCode::kFrameTooLarge);
}

// spec: FRAME-2
TEST(Framer, TheLargestMessagePassesAndOneByteMoreIsRefusedOnItsHeader) {
  EXPECT_EQ(read_in_parts(frame(0x00, kMessageSizeMax), 1400).frames.size(), 1U);
  const Bytes header = with_header(0x00, kMessageSizeMax + 1);
  EXPECT_EQ(read_in_parts(header, 1).fault, ErrorCode::kFrameTooLarge);
}

TEST(Framer, ADeclaredLengthHoldsOnlyWhatArrived) {
  Framer framer(1U << 30, kControlSizeMax);
  Bytes start = with_header(0x00, 1U << 30);
  start.push_back(std::byte{1});
  Outcome outcome;
  ASSERT_TRUE(feed(framer, start, outcome));
  EXPECT_EQ(framer.held(), start.size());
}

// spec: FRAME-5
TEST(Framer, AControlFrameWithABitOfMessagesIsMalformed) {
  for (const int head : {0xc9, 0xa9, 0xe9, 0xd8}) {
    EXPECT_EQ(read_in_parts(bytes({head}), 1).fault, ErrorCode::kFrameMalformed) << head;
  }
}

// spec: FRAME-4
TEST(Framer, AMessageOfATypeThatIsNotInTheTableIsMalformed) {
  EXPECT_EQ(read_in_parts(bytes({0x02}), 1).fault, ErrorCode::kNone);
  EXPECT_EQ(read_in_parts(bytes({0x03}), 1).fault, ErrorCode::kFrameMalformed);
}

// spec: FRAME-6
TEST(Framer, ControlTypesThatNobodyKnowsAreRefusedUnlessTheyAreExtensions) {
  for (int type = 0; type < 0x20; ++type) {
    const bool reserved = type == 0x0e;
    const ErrorCode expected = reserved ? ErrorCode::kFrameUnexpected : ErrorCode::kNone;
    EXPECT_EQ(read_in_parts(bytes({0x80 | type, 0}), 2).fault, expected) << type;
  }
}

// spec: FRAME-6
TEST(Framer, AnExtensionOfTheLargestSizeIsSkippedWithoutBeingKept) {
  Bytes stream = frame(0x9a, kControlSizeMax);
  encode(Ping{}, stream);
  Framer framer(0, kControlSizeMax);
  Outcome outcome;
  for (std::size_t at = 0; at < stream.size(); at += 100) {
    const BytesView rest = BytesView(stream).subspan(at);
    ASSERT_TRUE(feed(framer, rest.first(std::min<std::size_t>(100, rest.size())), outcome));
    EXPECT_LT(framer.held(), 10U);
  }
  EXPECT_EQ(outcome.frames.size(), 1U);
}

// spec: FRAME-1
TEST(Framer, ALengthThatIsNotMinimalIsRefused) {
  const Bytes stream = bytes({0x89, 0x40, 0x08, 1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(read_in_parts(stream, stream.size()).fault, ErrorCode::kVarintNotMinimal);
  EXPECT_EQ(read_in_parts(stream, 1).fault, ErrorCode::kVarintNotMinimal);
}

TEST(Framer, WhereNoMessageMayStandAMessageIsUnexpectedWhateverItsSize) {
  Framer framer(0, kControlSizeMax);
  Outcome outcome;
  EXPECT_FALSE(feed(framer, bytes({0x00, 0x05}), outcome));
  EXPECT_EQ(outcome.fault, ErrorCode::kFrameUnexpected);
}

TEST(Framer, AFaultStays) {
  Framer framer(0, kControlSizeMax);
  Outcome outcome;
  EXPECT_FALSE(feed(framer, bytes({0x8e}), outcome));
  Bytes ping;
  encode(Ping{}, ping);
  EXPECT_FALSE(feed(framer, ping, outcome));
  EXPECT_TRUE(outcome.frames.empty());
}

TEST(Framer, RandomBytesGiveTheSameFramesHoweverTheyAreSplit) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    test::Random random(seed);
    Bytes stream = random.bytes(1 + random.below(300));
    for (std::size_t at = 0; at < stream.size(); at += 1 + random.below(20)) {
      stream[at] &= std::byte{0x9f};  // so that more than the first byte is looked at
    }
    const Outcome whole = read_in_parts(stream, stream.size());
    EXPECT_EQ(read_in_parts(stream, 1), whole) << seed;
    EXPECT_EQ(read_in_parts(stream, 1 + random.below(50)), whole) << seed;
  }
}

}  // namespace
}  // namespace orzatty::wire
