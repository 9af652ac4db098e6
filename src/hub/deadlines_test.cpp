#include "hub/deadlines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/hub_for_test.h"

namespace orzatty::hub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kWindow = 4096;  // of a stream: what a subscriber takes without reading

ChannelConfig with(SlowPolicy policy) {
  return {.retention = {.count = 0, .bytes = 1 << 20}, .slow_policy = policy};
}

// Alice publishes numbered messages of a kilobyte.
class Source {
 public:
  explicit Source(World& world) : world_(world), alice_(world.connect("alice")) {
    stream_ = alice_.open_publication("news");
    world_.run();
  }
  void publish(int count, std::optional<std::chrono::milliseconds> time_to_live = {}) {
    for (int i = 0; i < count; ++i) {
      std::string text = std::to_string(published++);
      text.resize(1000, ' ');
      alice_.send(stream_, text, {.time_to_live = time_to_live});
      world_.run();
    }
  }
  std::uint64_t published = 0;

 private:
  World& world_;
  Client& alice_;
  StreamKey stream_;
};

// What a subscriber was told, in order of offsets: "0-3 x3-5 5-6", x for what expired and g for
// other gaps. Fails when something is told twice.
std::string told(const Client& client) {
  struct Part {
    std::uint64_t to = 0;
    std::string sign;
  };
  std::map<std::uint64_t, Part> parts;
  for (const Delivered& one : client.received) {
    EXPECT_EQ(std::stoull(one.text), one.offset);
    EXPECT_TRUE(parts.emplace(one.offset, Part{one.offset + 1, ""}).second);
  }
  for (const Missed& gap : client.gaps) {
    const std::string sign = gap.reason == GapReason::kExpired ? "x" : "g";
    EXPECT_TRUE(parts.emplace(gap.from, Part{gap.to, sign}).second);
  }
  std::string text;
  for (auto part = parts.begin(); part != parts.end();) {
    const std::uint64_t from = part->first;
    const std::string sign = part->second.sign;
    std::uint64_t to = part->second.to;
    for (++part; part != parts.end() && part->first == to && part->second.sign == sign; ++part) {
      to = part->second.to;
    }
    text += (text.empty() ? "" : " ") + sign + std::to_string(from) + "-" + std::to_string(to);
  }
  return text;
}

TEST(Deadlines, OfNeighboursThatExpireTogetherAreOneGroupUpToItsSize) {
  base::SegmentPool pool(1 << 20, 1 << 20);
  base::Log log(pool, base::SegmentPool::kSizeMin);
  Deadlines deadlines(pool);
  const auto note = [&](std::uint64_t offset, std::chrono::milliseconds time_to_live,
                        std::size_t size) {
    const base::LogCursor begin = log.end();
    ASSERT_TRUE(log.append(Bytes(size), 1));
    ASSERT_TRUE(deadlines.make_room(1));
    deadlines.note(time_to_live, Offset(offset), begin, size, Instant());
  };

  note(0, 5ms, 10);
  note(1, 5ms, 10);
  note(3, 5ms, 10);  // 2 has none
  note(4, 6ms, 3000);
  note(5, 6ms, 10);

  ASSERT_EQ(deadlines.size(), 4U);
  EXPECT_EQ(deadlines[0].to, Offset(2));
  EXPECT_EQ(deadlines[0].end_cursor().position, 20U);
  EXPECT_EQ(deadlines.find(Offset(0)), 0U);
  EXPECT_EQ(deadlines.find(Offset(1)), 0U);
  EXPECT_EQ(deadlines.find(Offset(2)), 1U);
  EXPECT_EQ(deadlines.find(Offset(5)), 3U);
  EXPECT_EQ(deadlines.find(Offset(6)), 4U);
  deadlines.forget_below(Offset(4));
  EXPECT_EQ(deadlines.find(Offset(0)), 0U);
  EXPECT_EQ(deadlines[0].from, Offset(4));
}

// spec: DEADLINE-2
TEST(Deadlines, BeyondThoseThatAreKeptApartMessagesLiveOn) {
  base::SegmentPool pool(1 << 20, 1 << 20);
  base::Log log(pool, base::SegmentPool::kSizeMin);
  Deadlines deadlines(pool);
  for (std::uint64_t i = 0; i < Deadlines::kCountMax + 1000; ++i) {
    ASSERT_TRUE(deadlines.make_room(1));
    deadlines.note(std::chrono::milliseconds(i), Offset(i), log.end(), 1, Instant());
  }
  EXPECT_EQ(deadlines.size(), Deadlines::kCountMax);
}

// spec: DEADLINE-2
TEST(Deadlines, AMessageForWhoseDeadlineThereIsNoMemoryIsNotStored) {
  base::SegmentPool pool(1 << 20, 1 << 20);
  ChannelTraffic traffic;
  Channel news(channel("news"), ChannelEpoch(1), {}, Limits(), pool, traffic);
  const base::ProducerNumber producer = *news.producers().join(
      {.publication = {}, .producer = {}, .epoch = {}, .next = {}, .channel = channel("news")},
      "alice");
  Sequence next(0);
  const auto append = [&](std::optional<std::chrono::milliseconds> time_to_live) {
    std::array<std::byte, wire::kMessageHeaderSizeMax> header;
    const auto size =
        wire::encode_message_header(header, MessageType::kRaw, {.time_to_live = time_to_live}, 0);
    const Batch batch{.producer = producer,
                      .first = next,
                      .count = 1,
                      .header = {},
                      .body = BytesView(header).first(size),
                      .has_attributes = time_to_live.has_value()};
    next += 1;
    return news.append(batch, Instant());
  };
  ASSERT_TRUE(append({}));
  const std::size_t left = pool.room();
  ASSERT_TRUE(pool.charge(left));

  EXPECT_FALSE(append(5ms));
  EXPECT_TRUE(append({})) << "there is room in its segment";

  pool.refund(left);
  EXPECT_TRUE(append(5ms));
  EXPECT_EQ(news.deadlines().size(), 1U);
}

// spec: DEADLINE-2
TEST(Expiry, ALateSubscriberIsToldAGapForWhatExpiredAndGetsTheRest) {
  World world(config_of(with(SlowPolicy::kDropOldest)));
  Source source(world);
  source.publish(2);
  source.publish(3, 10ms);
  source.publish(1);
  source.publish(2, 20ms);
  source.publish(1, 10ms);
  world.pass(10ms);
  Client& bob = world.connect("bob");
  bob.subscribe("news", StartPosition::start());
  world.run();
  EXPECT_EQ(told(bob), "0-2 x2-5 5-8 x8-9");

  source.publish(1, 5ms);
  world.pass(20ms);
  Client& carol = world.connect("carol");
  carol.subscribe("news", StartPosition::at(Offset(3)));
  world.run();
  source.publish(1);

  EXPECT_EQ(told(bob), "0-2 x2-5 5-8 x8-9 9-11");
  EXPECT_EQ(told(carol), "x3-5 5-6 x6-10 10-11");
}

// spec: DEADLINE-2, SUBSCRIBE-3
TEST(Expiry, OfWhatASlowSubscriberWasNotGivenInTimeIsAGapAndNothingIsToldTwice) {
  for (const SlowPolicy policy :
       {SlowPolicy::kWait, SlowPolicy::kDropOldest, SlowPolicy::kLatest}) {
    World world(config_of(with(policy)), kWindow);
    Client& bob = world.connect("bob");
    bob.subscribe("news");
    Source source(world);
    bob.stop_reading();
    for (int round = 0; round < 6; ++round) {
      source.publish(3, 10ms);
      source.publish(round % 2);
      world.pass(4ms);
    }
    world.pass(5ms);

    for (int round = 0; round < 100; ++round) {
      bob.go_on_reading(world.now);
      world.run();
    }
    const std::string all = told(bob);

    const std::uint64_t delivered = bob.received.size();
    EXPECT_EQ(delivered + bob.missed_count(), source.published) << all;
    if (policy == SlowPolicy::kLatest) continue;
    EXPECT_GE(all.size(), 1U);
    EXPECT_NE(all.find('x'), std::string::npos) << all;
    EXPECT_EQ(all.find('g'), std::string::npos) << all;
  }
}

// spec: DEADLINE-2
TEST(Expiry, OfTheNewestMessageLeavesNothingForWhoWantsOnlyThat) {
  World world(config_of(with(SlowPolicy::kLatest)));
  Source source(world);
  source.publish(1);
  world.pass(1s);
  source.publish(1);
  world.pass(1s);
  source.publish(1, 10ms);
  world.pass(10ms);
  Client& bob = world.connect("bob");
  bob.subscribe("news", StartPosition::start());
  world.run();

  EXPECT_EQ(told(bob), "g0-2 x2-3");
  source.publish(1, 10ms);
  EXPECT_EQ(told(bob), "g0-2 x2-3 3-4");
}

// spec: PUBLISH-1, PUBLISH-8
TEST(Skip, IsAnsweredByTheSequenceThatTheServerExpects) {
  World world(config_of(with(SlowPolicy::kDropOldest)));
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  alice.send(stream, "0");
  alice.skip(stream, 5);
  world.run();
  world.pass(1s);
  world.run();

  ASSERT_FALSE(alice.acks.empty());
  EXPECT_EQ(alice.acks.back().first, Sequence(5));
  EXPECT_EQ(alice.acks.back().count, 0U);
  EXPECT_THAT(alice.rejects, IsEmpty());
  EXPECT_EQ(world.hub.counters().skipped_by,
            (std::array<std::uint64_t, kGapReasonCount>{0, 0, 0, 4}));
}

}  // namespace
}  // namespace orzatty::hub::test
