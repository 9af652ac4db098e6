// Mode latest over real sockets: what is newer takes the place of what is older on the whole way.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>

#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kKeyCount = 5;

ServerOptions server_options() {
  ServerOptions options;
  options.channel_default.mode = DeliveryMode::kLatest;
  options.channel_default.retention = {.count = 1, .bytes = 0};
  return options;
}

// What a subscriber has, by key: numbers.
class Table {
 public:
  // One that has so much to do for each.
  SubscriptionHandler handler(std::uint64_t work = 0) {
    return [this, work](const Message& message) {
      const std::string key(text_of(message.attributes().key));
      const std::uint64_t value = std::stoull(std::string(message.text()));
      EXPECT_GT(value + 1, values_[key]);
      values_[key] = value + 1;
      ++received;
      if (value + kKeyCount >= last) ++arrived;
      for (std::uint64_t i = 0; i < work; ++i) sum_ = sum_ * 31 + i;
    };
  }
  std::uint64_t last = 0;
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> arrived{0};  // of the newest of each key

 private:
  std::map<std::string, std::uint64_t> values_;
  std::uint64_t sum_ = 0;
};

void publish(Publisher& publisher, std::uint64_t count) {
  const std::string padding(100, ' ');
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string key = "key " + std::to_string(i % kKeyCount);
    const std::string text = std::to_string(i) + padding;
    ASSERT_TRUE(publisher.send(Payload(text).with({.key = bytes_of(key)})));
  }
}

// spec: LATEST-1, LATEST-2
TEST(Latest, TheLastValueOfEachKeyArrivesAfterABurstAtASubscriberWithASlowHandler) {
  constexpr std::uint64_t kCount = 100'000;
  Served served(server_options());
  ClientOptions slow = served.client_options();
  slow.limits.message_size_max = slow.limits.stream_window = 16 * 1024;
  auto bob = Client::connect(served.address(), slow);
  ASSERT_TRUE(bob);
  Table table;
  table.last = kCount;
  auto subscription = bob->subscribe("quotes", table.handler(100'000));
  ASSERT_TRUE(subscription);
  auto alice = served.connect();
  ASSERT_TRUE(alice);
  auto publisher = alice->publisher("quotes", {.mode = DeliveryMode::kLatest});
  ASSERT_TRUE(publisher);

  publish(*publisher, kCount);
  ASSERT_TRUE(alice->settle(20s));

  const ClientStats sent = alice->stats();
  EXPECT_EQ(sent.sent, kCount);
  EXPECT_EQ(sent.accepted + sent.superseded, kCount);
  EXPECT_EQ(sent.waiting, 0U);
  EXPECT_TRUE(eventually([&] { return table.arrived == kKeyCount; }));
  // Of what was stored it had each as a message or in a gap.
  EXPECT_TRUE(eventually([&] {
    const ClientStats got = bob->stats();
    return got.delivered + got.missed == sent.accepted;
  }));
  const ClientStats got = bob->stats();
  EXPECT_EQ(got.missed, got.missed_by[static_cast<std::size_t>(GapReason::kSuperseded)]);
  EXPECT_LT(got.delivered, kCount / 10);
}

// spec: LATEST-2
TEST(Latest, WhoComesLateAndWhoComesBackHaveTheNewestOfEachKey) {
  Served served(server_options());
  auto alice = served.connect();
  ASSERT_TRUE(alice);
  auto publisher = alice->publisher("quotes", {.mode = DeliveryMode::kLatest});
  ASSERT_TRUE(publisher);
  publish(*publisher, 100);
  ASSERT_TRUE(alice->settle(20s));

  auto bob = served.connect();
  ASSERT_TRUE(bob);
  Table table;
  table.last = 100;
  auto subscription =
      bob->subscribe("quotes", table.handler(), {.from = StartPosition::start()});
  ASSERT_TRUE(subscription);

  EXPECT_TRUE(eventually([&] { return table.arrived == kKeyCount; }));
  EXPECT_EQ(table.received, kKeyCount);
  EXPECT_EQ(alice->stats().accepted + alice->stats().superseded, 100U);
}

TEST(Latest, AReportSaysThatAValueWasSuperseded) {
  Served served(server_options());
  auto alice = served.connect();
  ASSERT_TRUE(alice);
  auto publisher = alice->publisher("quotes", {.mode = DeliveryMode::kLatest});
  ASSERT_TRUE(publisher);
  std::map<Fate, std::uint64_t> fates;
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(publisher->send(std::to_string(i), [&](const DeliveryReport& report) {
      ++fates[report.fate];
      if (report.fate == Fate::kSuperseded) {
        EXPECT_EQ(report.code, ErrorCode::kSuperseded);
      } else {
        EXPECT_TRUE(report.offset.has_value());
      }
    }));
  }
  ASSERT_TRUE(alice->settle(20s));

  EXPECT_EQ(fates[Fate::kAccepted] + fates[Fate::kSuperseded], 20'000U);
  EXPECT_GT(fates[Fate::kSuperseded], 0U);
}

}  // namespace
}  // namespace orzatty
