#include "link/stream_map.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "session/counted_allocations_for_test.h"

namespace orzatty::link {
namespace {

// The n-th unidirectional stream of a server, and the client's control stream (RFC 9000, section 2.1).
quic::StreamId server_stream(std::int64_t ordinal) { return quic::StreamId(4 * ordinal + 3); }
constexpr quic::StreamId kControlStream{0};

TEST(StreamMap, FindsTheControlStreamBothWays) {
  StreamMap map;
  EXPECT_FALSE(map.find(session::kControlKey));

  map.bind(session::kControlKey, kControlStream);

  EXPECT_EQ(map.find(session::kControlKey), kControlStream);
  EXPECT_EQ(map.find(kControlStream), session::kControlKey);
}

TEST(StreamMap, ABidirectionalStreamOfNobodyIsNotFound) {
  StreamMap map;
  map.bind(session::kControlKey, kControlStream);

  EXPECT_FALSE(map.find(quic::StreamId(4)));
}

// The two lowest bits of an id say who opened it, and how (RFC 9000, section 2.1).
TEST(StreamMap, AStreamOfThePeerIsNotTakenForOursOfTheSameOrdinal) {
  StreamMap client;
  client.bind(session::StreamKey(1), quic::StreamId(2));
  StreamMap server;
  server.bind(session::StreamKey(1), quic::StreamId(3));

  EXPECT_EQ(client.find(quic::StreamId(2)), session::StreamKey(1));
  EXPECT_FALSE(client.find(quic::StreamId(3)));
  EXPECT_EQ(server.find(quic::StreamId(3)), session::StreamKey(1));
  EXPECT_FALSE(server.find(quic::StreamId(2)));

  client.unbind(quic::StreamId(3));
  EXPECT_EQ(client.find(quic::StreamId(2)), session::StreamKey(1));
}

TEST(StreamMap, AKeyThatIsUsedAgainMeansItsNewStreamAndTheOldStreamNobody) {
  StreamMap map;
  map.bind(session::StreamKey(1), server_stream(0));
  map.unbind(server_stream(0));

  map.bind(session::StreamKey(1), server_stream(1));

  EXPECT_EQ(map.find(session::StreamKey(1)), server_stream(1));
  EXPECT_FALSE(map.find(server_stream(0)));
  EXPECT_EQ(map.find(server_stream(1)), session::StreamKey(1));
}

TEST(StreamMap, AKeyThatIsUsedAgainBeforeItsOldStreamClosedKeepsItsNewOneWhenThatDoes) {
  StreamMap map;
  map.bind(session::StreamKey(1), server_stream(0));
  map.bind(session::StreamKey(1), server_stream(1));

  EXPECT_FALSE(map.find(server_stream(0)));
  map.unbind(server_stream(0));
  EXPECT_EQ(map.find(session::StreamKey(1)), server_stream(1));
  EXPECT_EQ(map.find(server_stream(1)), session::StreamKey(1));
}

TEST(StreamMap, BesideAStreamThatStaysAMillionOthersMayComeAndGoWithoutTakingMemory) {
  StreamMap map;
  map.bind(session::StreamKey(1), server_stream(0));
  const auto pass = [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t ordinal = from; ordinal < to; ++ordinal) {
      map.bind(session::StreamKey(2), server_stream(ordinal));
      map.unbind(server_stream(ordinal));
    }
  };
  pass(1, 1000);

  const std::size_t before = session::test::allocation_count;
  pass(1000, 1'000'000);

  EXPECT_EQ(session::test::allocation_count, before);
  EXPECT_EQ(map.find(server_stream(0)), session::StreamKey(1));
}

TEST(StreamMap, AThousandStreamsClosedInAnyOrderLeaveTheOthersWhereTheyAre) {
  constexpr std::int64_t kCount = 1000;
  StreamMap map;
  std::vector<std::int64_t> open;
  for (std::int64_t i = 0; i < kCount; ++i) {
    map.bind(session::StreamKey(static_cast<std::uint32_t>(i + 1)), server_stream(i));
    open.push_back(i);
  }
  base::Prng random(1);
  while (!open.empty()) {
    const std::size_t index = random.below(open.size());
    map.unbind(server_stream(open[index]));
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));

    for (const std::int64_t left : open) {
      const session::StreamKey key(static_cast<std::uint32_t>(left + 1));
      ASSERT_EQ(map.find(server_stream(left)), key);
      ASSERT_EQ(map.find(key), server_stream(left));
    }
  }
  EXPECT_FALSE(map.find(server_stream(kCount - 1)));
}

}  // namespace
}  // namespace orzatty::link
