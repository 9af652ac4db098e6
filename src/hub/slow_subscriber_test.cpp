// What becomes of subscribers that do not keep up, by the policy of their channel.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/hub_for_test.h"

namespace orzatty::hub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kWindow = 4096;  // of a stream: what a subscriber takes without reading

ChannelConfig with(SlowPolicy policy, std::uint64_t count = 10) {
  return {.retention = {.count = count, .bytes = 0}, .slow_policy = policy};
}

// Numbered messages of a kilobyte, a run each.
class Source {
 public:
  explicit Source(World& world) : world_(world) {}
  void publish(int count) {
    for (int i = 0; i < count; ++i) {
      world_.pass(1s);
      std::string text = std::to_string(published_++);
      text.resize(1000, ' ');
      ASSERT_EQ(world_.publish("news", text), ErrorCode::kNone);
      world_.run();
    }
  }
  [[nodiscard]] std::uint64_t published() const { return published_; }

 private:
  World& world_;
  std::uint64_t published_ = 0;
};

// Offsets ascend, and messages and gaps together cover everything from `from` on.
void expect_exact(const Client& client, std::uint64_t from, std::uint64_t to) {
  std::map<std::uint64_t, std::uint64_t> covered;  // from -> to
  for (const Delivered& delivered : client.received) {
    EXPECT_EQ(std::stoull(delivered.text), delivered.offset);
    EXPECT_TRUE(covered.emplace(delivered.offset, delivered.offset + 1).second);
  }
  for (const Missed& missed : client.gaps) {
    EXPECT_TRUE(covered.emplace(missed.from, missed.to).second);
  }
  std::uint64_t at = from;
  for (const auto& [begin, end] : covered) {
    EXPECT_EQ(begin, at);
    at = end;
  }
  EXPECT_EQ(at, to);
}

// spec: CREDIT-2, CREDIT-3
TEST(Wait, APublisherGetsNoCreditForWhatDoesNotFitUntilTheSlowestSubscriberReads) {
  World world(config_of(with(SlowPolicy::kWait)), 8 * 1024 * 1024);
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  Client& carol = world.connect("carol");
  carol.subscribe("news");
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  const StreamKey other = alice.open_publication("other");
  world.run();
  bob.keeps = carol.keeps = false;
  bob.stop_reading();
  const std::string large(50'000, 'x');
  const auto send = [&](StreamKey to, int count) {
    for (int i = 0; i < count; ++i) {
      world.pass(1s);
      alice.send(to, large);
      world.run();
    }
  };

  send(stream, 160);  // bob's window
  EXPECT_EQ(alice.up.credit_left(stream), 8U * 1024U * 1024U);
  EXPECT_THAT(world.slow, IsEmpty());
  send(stream, 100);  // and the backlog that is allowed, and more
  send(other, 10);

  const std::uint64_t owed = 8 * 1024 * 1024 - alice.up.credit_left(stream);
  EXPECT_GT(owed, 1'000'000U);
  EXPECT_LT(owed, 100U * 50'010U);
  EXPECT_EQ(alice.up.credit_left(other), 8U * 1024U * 1024U) << "others are not held up";
  EXPECT_EQ(carol.received_count, 260U);
  ASSERT_EQ(world.slow.size(), 1U) << "once";
  EXPECT_EQ(world.slow[0].identity, "bob");
  EXPECT_EQ(world.slow[0].channel, "news");
  EXPECT_EQ(world.slow[0].policy, SlowPolicy::kWait);

  bob.go_on_reading(world.now);
  world.run();

  EXPECT_EQ(bob.received_count, 260U);
  EXPECT_THAT(bob.gaps, IsEmpty());
  EXPECT_EQ(alice.up.credit_left(stream), 8U * 1024U * 1024U);
}

// spec: CREDIT-3
TEST(Wait, NoMoreThanTheSizeOfAChannelAndAWindowIsEverKept) {
  constexpr std::uint64_t kMessage = 1'003;  // with its header
  constexpr std::uint64_t kStreamWindow = 100 * kMessage;
  Limits limits;
  limits.channel_size_max = 200'000;
  for (const std::uint64_t retained : {std::uint64_t{0}, std::uint64_t{4'000'000}}) {
    ChannelConfig config = with(SlowPolicy::kWait);
    config.retention.bytes = retained;
    World world(config_of(config, limits), kStreamWindow);
    Client& bob = world.connect("bob");
    bob.subscribe("news");
    world.run();
    bob.stop_reading();
    Client& alice = world.connect("alice");
    const StreamKey stream = alice.open_publication("news");
    for (int i = 0; i < 1'000; ++i) alice.send(stream, std::string(kMessage - 3, 'x'));
    world.run();
    world.settle();

    // Alice's window comes on top; what fills bob's window, and waits in his stream, is his
    // already.
    const std::uint64_t stored = alice.acknowledged().size() * kMessage;
    const std::uint64_t given = kStreamWindow + Delivery::kFill + base::RunIndex::kRunBytesMax;
    EXPECT_LE(stored, 200'000 + kStreamWindow + given);
    EXPECT_GE(stored, 200'000U);

    bob.go_on_reading(world.now);
    world.settle();
    EXPECT_EQ(bob.received.size(), 1'000U);
    EXPECT_THAT(bob.gaps, IsEmpty());
  }
}

// spec: CREDIT-3
TEST(Wait, EndsWhenTheSlowSubscriberLeavesOrIsLost) {
  for (const bool leaves : {true, false}) {
    World world(config_of(with(SlowPolicy::kWait)), 3 * 1024 * 1024);
    Client& bob = world.connect("bob");
    const SubscriptionId id = bob.subscribe("news", StartPosition::start());
    world.run();
    bob.stop_reading();
    Client& alice = world.connect("alice");
    const StreamKey stream = alice.open_publication("news");
    const std::string large(50'000, 'x');
    for (int i = 0; i < 200; ++i) {
      world.pass(1s);
      alice.send(stream, large);
      world.run();
    }
    EXPECT_EQ(alice.up.credit_left(stream), 0U);
    EXPECT_LT(alice.acknowledged().size(), 200U);

    if (leaves) bob.unsubscribe(id);
    if (leaves) world.run();
    if (!leaves) world.cut(bob);
    world.settle();

    EXPECT_EQ(alice.acknowledged().size(), 200U);
    EXPECT_EQ(alice.up.credit_left(stream), 3U * 1024U * 1024U);
  }
}

TEST(Wait, TheServerItselfIsToldToComeBackWhenTheChannelHoldsAllItMay) {
  Limits limits;
  limits.channel_size_max = 2 * 1024 * 1024;
  World world(config_of(with(SlowPolicy::kWait), limits), 64 * 1024);
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  bob.keeps = false;
  world.run();
  bob.stop_reading();
  const std::string large(50'000, 'x');
  int taken = 0;
  while (taken < 1000 && world.publish("news", large) == ErrorCode::kNone) {
    ++taken;
    world.pass(1s);
  }
  EXPECT_GT(taken, 40);
  EXPECT_LT(taken, 50);

  bob.go_on_reading(world.now);
  world.run();

  EXPECT_EQ(world.publish("news", large), ErrorCode::kNone);
}

// spec: SUBSCRIBE-3
TEST(DropOldest, ASubscriberThatIsOvertakenGoesOnAtTheFirstKeptMessageAfterAGap) {
  World world(config_of(with(SlowPolicy::kDropOldest)), kWindow);
  Source source(world);
  Client& bob = world.connect("bob");
  Client& carol = world.connect("carol");
  bob.subscribe("news");
  carol.subscribe("news");
  world.run();
  source.publish(5);
  bob.stop_reading();
  source.publish(200);
  ASSERT_EQ(world.slow.size(), 1U) << "once per episode";
  EXPECT_EQ(world.slow[0].identity, "bob");
  EXPECT_EQ(world.slow[0].policy, SlowPolicy::kDropOldest);

  bob.go_on_reading(world.now);
  world.run();
  source.publish(5);

  ASSERT_EQ(bob.gaps.size(), 1U);
  EXPECT_EQ(bob.gaps[0].reason, GapReason::kSlow);
  EXPECT_EQ(bob.gaps[0].to, 195U) << "ten are kept";
  expect_exact(bob, 0, source.published());
  EXPECT_EQ(carol.received.size(), source.published());
  EXPECT_EQ(world.hub.counters().missed, bob.missed_count());
  ASSERT_EQ(world.hub.counters().traffic.size(), 1U);
  const ChannelTraffic& traffic = world.hub.counters().traffic[0];
  EXPECT_EQ(traffic.accepted, source.published());
  EXPECT_EQ(traffic.delivered, bob.received.size() + carol.received.size());
  EXPECT_EQ(traffic.missed[static_cast<std::size_t>(GapReason::kSlow)], bob.missed_count());
}

TEST(DropOldest, IsToldOnceForASubscriberThatIsOvertakenAgainBeforeItCaughtUp) {
  World world(config_of(with(SlowPolicy::kDropOldest)), 64 * 1024);
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  world.run();
  bob.stop_reading();
  const auto publish = [&](int count) {
    for (int i = 0; i < count; ++i) {
      world.pass(1s);
      ASSERT_EQ(world.publish("news", std::string(30'000, 'x')), ErrorCode::kNone);
    }
  };
  publish(30);
  for (int i = 0; i < 3; ++i) {
    bob.read_what_came(world.now);
    world.run();
  }
  EXPECT_EQ(bob.gaps.size(), 1U);

  publish(30);
  bob.go_on_reading(world.now);
  world.run();

  EXPECT_EQ(bob.gaps.size(), 2U);
  EXPECT_EQ(world.slow.size(), 1U);
  EXPECT_EQ(bob.received.size() + bob.missed_count(), 60U);
}

TEST(DropOldest, IsToldAgainInTheNextEpisode) {
  World world(config_of(with(SlowPolicy::kDropOldest)), kWindow);
  Source source(world);
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  world.run();
  for (int episode = 1; episode <= 3; ++episode) {
    bob.stop_reading();
    source.publish(100);
    bob.go_on_reading(world.now);
    world.run();
    EXPECT_EQ(world.slow.size(), static_cast<std::size_t>(episode));
  }
  EXPECT_EQ(bob.gaps.size(), 3U);
  expect_exact(bob, 0, source.published());
}

TEST(Latest, ASubscriberThatLagsJumpsToTheNewestMessage) {
  World world(config_of(with(SlowPolicy::kLatest, 100)), kWindow);
  Source source(world);
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  world.run();
  source.publish(3);
  bob.stop_reading();
  source.publish(50);
  const std::size_t before = bob.received.size();
  bob.go_on_reading(world.now);
  world.run();

  ASSERT_FALSE(bob.gaps.empty());
  for (const Missed& missed : bob.gaps) EXPECT_EQ(missed.reason, GapReason::kSuperseded);
  EXPECT_EQ(bob.gaps.back().to, 52U);
  EXPECT_LE(bob.received.size(), before + 6);
  EXPECT_EQ(bob.received.back().offset, 52U);
  expect_exact(bob, 0, source.published());
}

TEST(Latest, ASubscriberThatIsOvertakenJumpsToTheNewestMessageToo) {
  World world(config_of(with(SlowPolicy::kLatest, 2)), kWindow);
  Source source(world);
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  world.run();
  bob.stop_reading();
  source.publish(50);
  bob.go_on_reading(world.now);
  world.run();

  EXPECT_EQ(bob.gaps.back().reason, GapReason::kSuperseded);
  EXPECT_EQ(bob.received.back().offset, 49U);
  EXPECT_EQ(world.slow.size(), 1U);
  expect_exact(bob, 0, source.published());
}

TEST(Latest, JumpsInsideARunToItsLastMessage) {
  World world(config_of(with(SlowPolicy::kLatest, 100)));
  Client& alice = world.connect("alice");
  const StreamKey stream = alice.open_publication("news");
  alice.send(stream, "0");
  world.run();
  world.pass(1s);
  alice.send_run(stream, {"1", "2", "three"});
  world.run();
  Client& bob = world.connect("bob");

  bob.subscribe("news", StartPosition::start());
  world.run();

  EXPECT_THAT(bob.received, ElementsAre(Delivered{"news", "alice", "three", 3}));
  EXPECT_THAT(bob.gaps, ElementsAre(Missed{"news", 0, 3, GapReason::kSuperseded}));
}

// spec: SUBSCRIBE-4
TEST(Latest, TellsWhatWasNotKeptApartFromWhatIsSuperseded) {
  World world(config_of(with(SlowPolicy::kLatest, 3)));
  Source source(world);
  source.publish(10);
  Client& bob = world.connect("bob");

  bob.subscribe("news", StartPosition::at(Offset(2)));
  world.run();

  EXPECT_THAT(bob.gaps, ElementsAre(Missed{"news", 2, 7, GapReason::kRetention},
                                    Missed{"news", 7, 9, GapReason::kSuperseded}));
  expect_exact(bob, 2, 10);
}

TEST(Disconnect, EndsTheSubscriptionAndNamesTheOffsetToResumeFrom) {
  World world(config_of(with(SlowPolicy::kDisconnect)), kWindow);
  Source source(world);
  Client& bob = world.connect("bob");
  const SubscriptionId id = bob.subscribe("new?");
  bob.subscribe("*");
  world.run();
  bob.stop_reading();
  source.publish(20);

  ASSERT_EQ(bob.ended.size(), 1U) << "though it took nothing more";
  EXPECT_NE(bob.ended[0].subscription, id);
  EXPECT_EQ(bob.ended[0].code, ErrorCode::kSlowSubscriber);
  ASSERT_EQ(world.slow.size(), 1U);
  EXPECT_EQ(world.slow[0].policy, SlowPolicy::kDisconnect);
  EXPECT_EQ(world.hub.counters().subscriptions, 1U);
  bob.go_on_reading(world.now);
  world.run();
  const std::uint64_t next = bob.received.back().offset + 1;
  EXPECT_EQ(bob.ended[0].text, "resume news at offset " + std::to_string(next));
  EXPECT_FALSE(bob.closed_by_hub);

  bob.subscribe("news", StartPosition::at(Offset(next)));
  world.run();
  EXPECT_EQ(bob.gaps[0].reason, GapReason::kRetention);
  expect_exact(bob, 0, source.published());
}

// One wildcard over channels of different policies: what ends it frees who waited for it elsewhere.
TEST(Disconnect, OfAWildcardPaysThePublishersOfItsOtherChannels) {
  HubConfig config;
  config.rules.push_back({*ChannelPattern::parse("a.fragile"), with(SlowPolicy::kDisconnect)});
  config.channel_default = with(SlowPolicy::kWait);
  World world(config, 3 * 1024 * 1024);
  Client& bob = world.connect("bob");
  bob.keeps = false;
  bob.subscribe("a.*");
  world.run();
  bob.stop_reading();
  Client& alice = world.connect("alice");
  const StreamKey patient = alice.open_publication("a.patient");
  const StreamKey fragile = alice.open_publication("a.fragile");
  const std::string large(50'000, 'x');
  const auto send = [&](StreamKey stream, int count) {
    for (int i = 0; i < count; ++i) {
      world.pass(1s);
      alice.send(stream, large);
      world.run();
    }
  };
  send(patient, 180);
  ASSERT_EQ(alice.up.credit_left(patient), 0U);

  send(fragile, 20);

  ASSERT_EQ(bob.ended.size(), 1U);
  EXPECT_EQ(alice.up.credit_left(patient), 3U * 1024U * 1024U);
}

TEST(SlowSubscriber, LosesNothingOfOneChannelBecauseOfAnother) {
  World world(config_of(with(SlowPolicy::kDropOldest)), kWindow);
  Source source(world);
  Client& bob = world.connect("bob");
  bob.subscribe("news");
  bob.subscribe("calm");
  world.run();
  bob.stop_reading();
  source.publish(50);

  ASSERT_EQ(world.publish("calm", "hello"), ErrorCode::kNone);
  world.run();

  EXPECT_EQ(bob.texts().back(), "hello");
}

// spec: SUBSCRIBE-3
TEST(Gap, PublishedIsDeliveredAndMissedWhateverHappens) {
  for (const SlowPolicy policy :
       {SlowPolicy::kDropOldest, SlowPolicy::kLatest, SlowPolicy::kWait}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      SCOPED_TRACE(testing::Message() << "policy " << static_cast<int>(policy) << " seed " << seed);
      World world(config_of(with(policy, 1 + seed % 7)), kWindow);
      base::Prng prng(seed);
      std::vector<Client*> clients;
      for (int i = 0; i < 3; ++i) {
        clients.push_back(&world.connect("reader"));
        clients.back()->subscribe(i == 1 ? "*" : "news");
      }
      world.run();
      std::uint64_t published = 0;
      for (int i = 0; i < 300; ++i) {
        Client& client = *clients[prng.below(3)];
        if (prng.chance(0.3)) client.stop_reading();
        if (prng.chance(0.3)) client.go_on_reading(world.now);
        if (prng.chance(0.5)) world.pass(Duration(prng.below(20'000'000)));
        std::string text = std::to_string(published++);
        text.resize(8 + prng.below(2000), ' ');
        ASSERT_EQ(world.publish("news", text), ErrorCode::kNone);
        if (prng.chance(0.7)) world.run();
      }
      for (Client* client : clients) client->go_on_reading(world.now);
      world.run();
      for (const Client* client : clients) expect_exact(*client, 0, published);
    }
  }
}

}  // namespace
}  // namespace orzatty::hub::test
