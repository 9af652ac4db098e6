#include "hub/latest_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/hub_for_test.h"

namespace orzatty::hub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Lt;

// Its log keeps next to nothing.
HubConfig latest(Limits limits = {}) {
  return config_of({.mode = DeliveryMode::kLatest, .retention = {.count = 1, .bytes = 0}}, limits);
}

// One who publishes values.
class Source {
 public:
  explicit Source(World& world, std::string_view name = "alice", std::uint8_t producer = 1)
      : world_(world),
        client(world.connect(name)),
        stream_(client.open_publication({.publication = PublicationId(1),
                                         .producer = producer_id(producer),
                                         .epoch = {},
                                         .next = {},
                                         .channel = channel("quotes"),
                                         .mode = DeliveryMode::kLatest})) {}
  void set(std::string_view key, std::string_view value,
           std::optional<std::chrono::milliseconds> time_to_live = {}) {
    client.send(stream_, value, {.time_to_live = time_to_live, .key = bytes_of(key)});
    world_.run();
  }
  void skip(std::uint64_t to) {
    client.skip(stream_, to, GapReason::kSuperseded);
    world_.settle();
  }

 private:
  World& world_;

 public:
  Client& client;

 private:
  StreamKey stream_;
};

Missed gap(std::uint64_t from, std::uint64_t to, GapReason reason = GapReason::kSuperseded) {
  return {"quotes", from, to, reason};
}

// Messages and gaps cover each offset from `from` to `to` once.
void expect_exact(const Client& client, std::uint64_t from, std::uint64_t to) {
  std::map<std::uint64_t, std::uint64_t> covered;
  for (const Delivered& one : client.received) {
    EXPECT_TRUE(covered.emplace(one.offset, one.offset + 1).second);
  }
  for (const Missed& one : client.gaps) EXPECT_TRUE(covered.emplace(one.from, one.to).second);
  for (const auto& [begin, end] : covered) {
    EXPECT_EQ(begin, from);
    from = end;
  }
  EXPECT_EQ(from, to);
}

// spec: LATEST-2
TEST(LatestValues, ALateJoinerGetsTheNewestOfEachKeyInTheOrderOfOffsetsWhateverTheLogKeeps) {
  World world(latest());
  Source alice(world);
  Source bob(world, "bob", 2);
  alice.set("a", "a1");
  alice.set("b", "b1");
  bob.set("a", "a2");
  alice.set("", "1");
  alice.set("", "2");
  world.cut(bob.client);

  Client& carol = world.connect("carol");
  carol.subscribe("quotes", StartPosition::start());
  world.run();

  EXPECT_THAT(carol.received,
              ElementsAre(Delivered{"quotes", "alice", "b1", 1}, Delivered{"quotes", "bob", "a2", 2},
                          Delivered{"quotes", "alice", "2", 4}));
  EXPECT_THAT(carol.gaps, ElementsAre(gap(3, 4)));
}

TEST(LatestValues, TheLastOnesOfASubscriptionAreTheNewestValues) {
  World world(latest());
  Source alice(world);
  for (const char* key : {"a", "b", "c", "b"}) alice.set(key, key);

  Client& one = world.connect("one");
  one.subscribe("quotes", StartPosition::latest());
  Client& two = world.connect("two");
  two.subscribe("quotes", StartPosition::last(2));
  Client& live = world.connect("live");
  live.subscribe("quotes");
  world.run();

  EXPECT_THAT(one.texts(), ElementsAre("b"));
  EXPECT_THAT(two.texts(), ElementsAre("c", "b"));
  EXPECT_THAT(live.received, IsEmpty());
  alice.set("a", "a2");
  EXPECT_THAT(live.texts(), ElementsAre("a2"));
}

// spec: LATEST-2, SUBSCRIBE-3, CREDIT-3
TEST(LatestValues, ASubscriberThatLagsHoldsUpNobodyAndGetsTheNewestOfEachKeyOnce) {
  World world(latest(), 4096);
  Source alice(world);
  Client& bob = world.connect("bob");
  bob.subscribe("quotes");
  world.run();
  bob.stop_reading();

  for (int i = 0; i < 1000; ++i) {
    std::string text = std::to_string(i);
    text.resize(300, ' ');
    alice.set(std::to_string(i % 3), text);
  }
  world.settle();
  EXPECT_EQ(alice.client.acknowledged().size(), 1000U);
  EXPECT_THAT(bob.received.size(), Lt(20U));
  bob.go_on_reading(world.now);
  world.run();

  EXPECT_THAT(bob.received.size(), Lt(40U));
  expect_exact(bob, 0, 1000);
  ASSERT_GE(bob.received.size(), 3U);
  EXPECT_EQ(bob.received[bob.received.size() - 3].offset, 997U);
  for (const Missed& missed : bob.gaps) EXPECT_EQ(missed.reason, GapReason::kSuperseded);
  EXPECT_THAT(world.slow, IsEmpty());
}

// spec: SUBSCRIBE-4
TEST(LatestValues, ASubscriberThatComesBackGetsWhatIsNewerThanItsPosition) {
  World world(latest());
  Source alice(world);
  Client& bob = world.connect("bob");
  bob.subscribe("quotes");
  world.run();
  alice.set("a", "a1");
  alice.set("b", "b1");
  ASSERT_EQ(bob.texts(), (std::vector<std::string>{"a1", "b1"}));
  world.cut(bob);
  alice.set("a", "a2");
  alice.set("a", "a3");

  Client& again = world.connect(bob.hello_to_return());
  world.run();

  EXPECT_THAT(again.texts(), ElementsAre("a3"));
  EXPECT_THAT(again.gaps, ElementsAre(gap(2, 3)));
}

// spec: LATEST-3
TEST(LatestValues, AValueOfOneKeyTooManyIsRejectedAndThoseThatAreKnownGoOn) {
  Limits limits;
  limits.latest_key_count_max = 2;
  World world(latest(limits));
  Source alice(world);
  alice.set("a", "a1");
  alice.set("b", "b1");
  alice.set("c", "c1");
  alice.set("a", "a2");
  world.settle();

  ASSERT_EQ(alice.client.rejects.size(), 1U);
  EXPECT_EQ(alice.client.rejects[0].from, Sequence(2));
  EXPECT_EQ(alice.client.rejects[0].code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(alice.client.acknowledged().size(), 3U);
  const MessageAttributes attributes{.key = bytes_of("d")};
  EXPECT_EQ(world.hub.publish(channel("quotes"), MessageType::kRaw, bytes_of("d1"), world.now,
                              attributes),
            ErrorCode::kLimitExceeded);
}

// spec: LATEST-2, DEADLINE-2
TEST(LatestValues, AValueWhoseTimeIsOverIsMissedAsExpiredAndLeavesItsPlaceToAnotherKey) {
  Limits limits;
  limits.latest_key_count_max = 3;
  World world(latest(limits));
  Source alice(world);
  alice.set("a", "a1");
  alice.set("b", "b1", 100ms);
  alice.set("c", "c1", 100ms);
  world.pass(100ms);

  Client& bob = world.connect("bob");
  bob.subscribe("quotes", StartPosition::start());
  world.run();
  world.pass(1s);
  alice.set("d", "d1");
  alice.set("e", "e1");
  world.settle();

  EXPECT_THAT(bob.texts(), ElementsAre("a1", "d1", "e1"));
  EXPECT_THAT(bob.gaps, ElementsAre(gap(1, 3, GapReason::kExpired)));
  EXPECT_THAT(alice.client.rejects, IsEmpty());
}

TEST(LatestValues, AChannelLivesAsLongAsAValueOfItDoes) {
  World world(config_of({.mode = DeliveryMode::kLatest,
                         .retention = {.bytes = 0, .age = 1s}}));
  Source alice(world);
  alice.set("a", "a1", 10min);
  world.cut(alice.client);
  world.pass(5min);
  EXPECT_EQ(world.hub.counters().channels, 1U);
  Client& bob = world.connect("bob");
  bob.subscribe("quotes", StartPosition::start());
  world.run();
  EXPECT_THAT(bob.texts(), ElementsAre("a1"));
  world.cut(bob);

  world.pass(5min);
  world.pass(2min);

  EXPECT_EQ(world.hub.counters().channels, 0U);
  EXPECT_EQ(world.hub.held_bytes(), 0U);
}

TEST(LatestValues, TakeTheMemoryOfOneValueForEachKey) {
  World world(latest());
  Source alice(world);
  const std::string large(100 * 1024, 'x');
  for (int i = 0; i < 500; ++i) alice.set(std::to_string(i % 2), large);

  EXPECT_THAT(world.hub.held_bytes(), Lt(std::size_t{1024} * 1024));
  Client& bob = world.connect("bob");
  bob.subscribe("quotes", StartPosition::start());
  world.run();
  EXPECT_THAT(bob.texts(), ElementsAre(large, large));
}

// spec: PUBLISH-5, LATEST-2
TEST(LatestValues, WhatThereIsNoMemoryForIsRejectedAndTheValueBeforeItStays) {
  Limits limits;
  limits.hub_size_max = 256 * 1024;
  World world(latest(limits));
  Source alice(world);
  alice.set("a", "a1");

  alice.set("a", std::string(300 * 1024, 'x'));
  alice.set("b", std::string(300 * 1024, 'x'));
  world.settle();

  ASSERT_EQ(alice.client.rejects.size(), 2U);
  EXPECT_EQ(alice.client.rejects[0].code, ErrorCode::kOverloaded);
  Client& bob = world.connect("bob");
  bob.subscribe("quotes", StartPosition::start());
  world.run();
  EXPECT_THAT(bob.texts(), ElementsAre("a1"));
}

// spec: LATEST-1, FATE-3, PUBLISH-8
TEST(LatestValues, WhatAPublisherSkippedAsSupersededIsKnownSo) {
  World world(latest());
  Source alice(world);
  alice.set("a", "a1");
  alice.skip(5);
  alice.set("a", "a6");
  alice.client.session.ask({.question = 1,
                            .producer = producer_id(1),
                            .epoch = {},
                            .channel = channel("quotes"),
                            .runs = {{Sequence(0), 6}}});
  world.settle();

  ASSERT_EQ(alice.client.told_fates.size(), 1U);
  const std::vector<wire::FateRun>& runs = alice.client.told_fates[0].runs;
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[1].kind, wire::FateKind::kRejected);
  EXPECT_EQ(runs[1].value, static_cast<std::uint64_t>(ErrorCode::kSuperseded));
  EXPECT_EQ(std::pair(runs[1].first, runs[1].count), std::pair(Sequence(1), std::uint64_t{4}));
}

// spec: SUBSCRIBE-7
TEST(LatestValues, KeepTheirPublisherWhenManyOthersCameAndWent) {
  World world(latest());
  {
    Source alice(world);
    alice.set("a", "a1");
    world.cut(alice.client);
  }
  Client& crowd = world.connect("crowd");
  for (std::size_t i = 0; i < Producers::kIdleMax + 2; ++i) {
    wire::Publish publish{.publication = PublicationId(1 + i),
                          .producer = {},
                          .epoch = {},
                          .next = {},
                          .channel = channel("quotes")};
    for (std::size_t k = 0; k < 4; ++k) {
      publish.producer.bytes[k] = static_cast<std::byte>((i + 1) >> (8 * k));
    }
    const StreamKey stream = crowd.open_publication(publish);
    crowd.send(stream, "b", {.key = bytes_of("b")});
    crowd.finish(stream);
    world.run();
  }

  Client& bob = world.connect("bob");
  bob.subscribe("quotes", StartPosition::start());
  world.run();

  ASSERT_EQ(bob.received.size(), 2U);
  EXPECT_EQ(bob.received[0], (Delivered{"quotes", "alice", "a1", 0}));
}

TEST(LatestValues, AKeyThatWasAdmittedAndWhoseValueFindsNoMemoryTakesNoPlace) {
  base::SegmentPool pool(1024 * 1024, 0);
  ChannelTraffic traffic;
  Channel quotes(channel("quotes"), ChannelEpoch(1), {.mode = DeliveryMode::kLatest}, Limits(), pool, traffic);
  const base::ProducerNumber producer = *quotes.producers().join(
      {.publication = {}, .producer = {}, .epoch = {}, .next = {}, .channel = channel("quotes")},
      "alice");
  std::array<std::byte, wire::kMessageHeaderSizeMax> header;
  const auto size =
      wire::encode_message_header(header, MessageType::kRaw, {.key = bytes_of("AAPL")}, 0);
  const BytesView frame = BytesView(header).first(size);
  const std::size_t before = pool.in_use();
  ASSERT_TRUE(quotes.values()->admit(*wire::MessageRange(frame).begin()));
  const std::size_t left = pool.room();
  ASSERT_TRUE(pool.charge(left));

  EXPECT_FALSE(quotes.append({.producer = producer,
                              .first = {},
                              .count = 1,
                              .header = {},
                              .body = frame,
                              .has_attributes = true},
                             Instant{}));

  pool.refund(left);
  EXPECT_EQ(pool.in_use(), before);
}

// What it takes to let go of values costs by those whose time is over, not by all that are kept.
TEST(LatestValues, AreLookedAtNoSoonerThanTheFirstOfThemThatIsStillKeptExpires) {
  base::SegmentPool pool(1024 * 1024, 0);
  Producers producers(pool);
  LatestValues values({.key_count_max = 2, .size_max = 1024 * 1024}, pool, producers);
  const base::ProducerNumber producer = *producers.join(
      {.publication = {}, .producer = {}, .epoch = {}, .next = {}, .channel = channel("quotes")},
      "alice");
  Offset next(0);
  const auto set = [&](std::string_view key, std::optional<std::chrono::milliseconds> lifetime) {
    std::array<std::byte, wire::kMessageHeaderSizeMax> header;
    const auto size = wire::encode_message_header(
        header, MessageType::kRaw, {.time_to_live = lifetime, .key = bytes_of(key)}, 0);
    const BytesView frame = BytesView(header).first(size);
    ASSERT_TRUE(values.admit(*wire::MessageRange(frame).begin()));
    ASSERT_TRUE(values.stage(frame, Instant{}));
    values.put(next, producer);
    next += 1;
  };
  set("a", 2s);
  set("b", 9s);
  EXPECT_EQ(values.next_look(), Instant{2s});

  set("a", 5s);
  EXPECT_EQ(values.next_look(), Instant{5s});
  set("a", {});
  EXPECT_EQ(values.next_look(), Instant{9s});
  values.forget_expired(Instant{9s});
  EXPECT_EQ(values.next_look(), std::nullopt);
  EXPECT_EQ(values.values().size(), 1U);
}

}  // namespace
}  // namespace orzatty::hub::test
