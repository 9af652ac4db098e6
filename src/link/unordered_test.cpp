// Channels that keep no order, with whole clients and a whole server over links that lose: each
// message once, and none held up by another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "link/client_link.h"
#include "link/world_for_test.h"

namespace orzatty::link::test {
namespace {

using testing::UnorderedElementsAreArray;

constexpr Duration kBothWays = 10ms;  // from a publisher over the server to a subscriber

std::uint64_t accepted_of(const Client& client) {
  std::uint64_t count = 0;
  for (const client::Settled& settled : client.fates) {
    if (settled.fate == Fate::kAccepted) count += settled.to - settled.from;
  }
  return count;
}

// Alice publishes to "chat" and Bob reads it.
class UnorderedTest : public testing::Test {
 protected:
  void begin(const WorldConfig& given, DeliveryMode mode = DeliveryMode::kUnordered) {
    WorldConfig config = given;
    config.channel_default.mode = mode;
    world_ = std::make_unique<World>(config);
    alice_ = &world_->client("alice");
    bob_ = &world_->client("bob");
    alice_->mode = mode;
    bob_->subscribe("chat");
    publish("first", 0);
    ASSERT_TRUE(world_->run_until(
        [&] { return bob_->ready == 1 && alice_->settled() && bob_->seen.size() == 1; }));
  }
  void publish(std::string text, std::size_t size) {
    text.resize(std::max(size, text.size()), '.');
    alice_->publish("chat", text);
    published_.push_back(std::move(text));
  }
  // None shares its stream; in a packet lie the end of one and the beginning of the next.
  void publish_packets(int count) {
    for (int i = 0; i < count; ++i) publish(std::to_string(i) + ":", 1000);
  }
  // The next packet with a message from there to there is lost.
  void lose_one(const base::Address& from, const base::Address& to) {
    world_->loses = [this, from, to, lost = false](const Datagram& datagram) mutable {
      const bool loses = !lost && datagram.from == from && datagram.to == to &&
                         datagram.bytes.size() > 1000;
      lost |= loses;
      lost_ += loses ? 1U : 0U;
      return loses;
    };
  }
  // Of eight messages one is lost, and those that follow it have had the time to come.
  void publish_and_lose_one(const base::Address& from, const base::Address& to) {
    lose_one(from, to);
    publish_packets(8);
    world_->run_for(kBothWays + 2ms);
    ASSERT_EQ(lost_, 1U);
  }
  bool run_until_all_came(Duration at_most = 60s) {
    return world_->run_until(
        [&] { return alice_->settled() && bob_->seen.size() >= published_.size(); }, at_most);
  }
  void expect_each_once() {
    EXPECT_THAT(bob_->texts(), UnorderedElementsAreArray(published_));
    std::set<std::uint64_t> offsets;
    for (const Seen& one : bob_->seen) offsets.insert(one.offset);
    EXPECT_EQ(offsets.size(), published_.size());
    EXPECT_EQ(accepted_of(*alice_), published_.size());
    EXPECT_TRUE(bob_->missed.empty());
  }

  std::unique_ptr<World> world_;
  Client* alice_ = nullptr;
  Client* bob_ = nullptr;
  std::vector<std::string> published_;
  std::size_t lost_ = 0;
};

// spec: STREAM-11
TEST_F(UnorderedTest, AMessageLostOnItsWayToTheServerHoldsUpNoOther) {
  begin({});

  publish_and_lose_one(alice_->address, kServerAddress);

  EXPECT_EQ(bob_->seen.size(), 7U) << "all but the two of which that packet held bytes";
  ASSERT_TRUE(run_until_all_came());
  expect_each_once();
}

// The other half of the pair: in order everything behind the lost one waits for it.
TEST_F(UnorderedTest, InOrderAMessageLostOnItsWayToTheServerHoldsUpAllBehindIt) {
  begin({}, DeliveryMode::kReliable);

  publish_and_lose_one(alice_->address, kServerAddress);

  EXPECT_EQ(bob_->seen.size(), 1U) << "none of them";
  ASSERT_TRUE(run_until_all_came());
}

// spec: STREAM-11, SUBSCRIBE-8
TEST_F(UnorderedTest, AMessageLostOnItsWayToASubscriberHoldsUpNoOther) {
  begin({});

  publish_and_lose_one(kServerAddress, bob_->address);

  EXPECT_EQ(bob_->seen.size(), 7U) << "all but the two of which that packet held bytes";
  ASSERT_TRUE(run_until_all_came());
  expect_each_once();
}

TEST_F(UnorderedTest, InOrderAMessageLostOnItsWayToASubscriberHoldsUpAllBehindIt) {
  begin({}, DeliveryMode::kReliable);

  publish_and_lose_one(kServerAddress, bob_->address);

  EXPECT_EQ(bob_->seen.size(), 1U) << "none of them";
  ASSERT_TRUE(run_until_all_came());
}

// spec: PUBLISH-2, PUBLISH-10, SUBSCRIBE-8
TEST_F(UnorderedTest, EachMessageComesOnceOverALinkThatLosesEveryFifthPacket) {
  begin({.seed = 3});
  world_->loss = 0.2;

  for (std::size_t i = 0; i < 500; ++i) publish(std::to_string(i) + ":", i * 37 % 3000);

  ASSERT_TRUE(run_until_all_came(120s));
  expect_each_once();
  EXPECT_FALSE(std::ranges::is_sorted(bob_->seen, {}, &Seen::offset)) << "nothing was tested";
}

// spec: PUBLISH-2, PUBLISH-10, RESUME-3, SUBSCRIBE-8
TEST_F(UnorderedTest, EachMessageComesOnceOverConnectionsThatBreakAgainAndAgain) {
  begin({.seed = 5});
  world_->loss = 0.05;

  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 30; ++i) publish(std::to_string(round * 30 + i) + ":", 700);
    world_->run_for(13ms);
    world_->drop_connection(round % 2 == 0 ? *alice_ : *bob_);
    world_->run_for(300ms);
  }

  ASSERT_TRUE(run_until_all_came(120s));
  expect_each_once();
  EXPECT_GE(alice_->connection_count + bob_->connection_count, 10U);
}

TEST_F(UnorderedTest, TheLargestMessagesComeToo) {
  begin({});

  for (int i = 0; i < 5; ++i) publish(std::to_string(i), Limits{}.message_size_max);
  publish("small", 0);

  ASSERT_TRUE(run_until_all_came());
  expect_each_once();
}

// spec: STREAM-11
TEST_F(UnorderedTest, WhoeverMayOpenFewStreamsWaitsForThemAndLosesNothing) {
  Limits limits;
  limits.passing_stream_count_max = 1;
  limits.publication_count_max = 2;
  limits.subscription_count_max = 2;
  begin({.limits = limits});

  publish_packets(200);

  ASSERT_TRUE(run_until_all_came());
  expect_each_once();
}

// spec: CREDIT-3
TEST_F(UnorderedTest, APublisherWaitsForTheSlowestSubscriberAndNothingIsRefused) {
  Limits limits;
  limits.stream_window_max = limits.stream_window;
  limits.outbox_size_max = limits.outbox_size;
  begin({.limits = limits});
  bob_->asleep = true;
  for (int i = 0; i < 400; ++i) publish(std::to_string(i) + ":", 20'000);

  world_->run_for(3s);
  EXPECT_FALSE(alice_->settled());
  EXPECT_LT(world_->server->hub().counters().messages_in, 300U) << "what may wait: 2 x 2 MiB";

  bob_->asleep = false;
  ASSERT_TRUE(run_until_all_came());
  expect_each_once();
}

}  // namespace
}  // namespace orzatty::link::test
