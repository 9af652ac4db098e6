// Publishers that come and go while their client lives.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kCountMax = 4;

ServerOptions server_options() {
  ServerOptions options;
  options.limits.publication_count_max = kCountMax;
  return options;
}

ClientOptions client_options(const Served& served) {
  ClientOptions options = served.client_options();
  options.limits.publication_count_max = kCountMax;
  return options;
}

TEST(Publishers, ManyMoreThanMayBeOpenAtOnceFollowEachOther) {
  Served served(server_options());
  auto client = Client::connect(served.address(), client_options(served));
  ASSERT_TRUE(client);
  constexpr int kRounds = 100;
  int accepted = 0;
  for (int i = 0; i < kRounds; ++i) {
    auto publisher = client->publisher("channel." + std::to_string(i % 7));
    ASSERT_TRUE(publisher) << i << publisher.error().text;
    ASSERT_TRUE(publisher->send("x", [&](const DeliveryReport& report) {
      accepted += report.fate == Fate::kAccepted ? 1 : 0;
    }));
  }
  ASSERT_TRUE(client->settle(10s));
  EXPECT_EQ(accepted, kRounds);
  const ClientStats stats = client->stats();
  EXPECT_EQ(stats.sent, static_cast<std::uint64_t>(kRounds));
  EXPECT_EQ(stats.accepted, stats.sent);
  EXPECT_EQ(stats.reconnects, 0U);
}

TEST(Publishers, OneTooManyIsRefusedWithALimitAndHarmsNone) {
  Served served(server_options());
  auto client = Client::connect(served.address(), client_options(served));
  ASSERT_TRUE(client);
  std::vector<Publisher> publishers;
  for (std::uint32_t i = 0; i < kCountMax; ++i) {
    auto publisher = client->publisher("channel");
    ASSERT_TRUE(publisher);
    publishers.push_back(std::move(*publisher));
  }

  const auto refused = client->publisher("channel");

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
  for (Publisher& publisher : publishers) ASSERT_TRUE(publisher.send("x"));
  EXPECT_TRUE(client->settle(10s));
  EXPECT_EQ(client->stats().accepted, kCountMax);
}

TEST(Publishers, BeyondTheServersLimitAreRefusedAtOnceAlthoughTheClientsOwnIsHigher) {
  Served served(server_options());
  auto client = Client::connect(served.address(), served.client_options());
  ASSERT_TRUE(client);
  std::vector<Publisher> publishers;
  for (std::uint32_t i = 0; i < kCountMax; ++i) {
    auto publisher = client->publisher("channel");
    ASSERT_TRUE(publisher);
    publishers.push_back(std::move(*publisher));
  }

  const auto refused = client->publisher("channel");
  const auto sent = client->send("another", "needs a publisher of its own");

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
  EXPECT_NE(refused.error().text.find("publication_count_max = 4"), std::string::npos);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kLimitExceeded);
  for (Publisher& publisher : publishers) ASSERT_TRUE(publisher.send("x"));
  EXPECT_TRUE(client->settle(10s));
  EXPECT_EQ(client->stats().accepted, kCountMax);
}

TEST(Publishers, MayBeDestroyedInAHandlerInAnotherThreadAndAfterTheirClient) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);
  std::optional<Publisher> in_handler = std::move(*client->publisher("channel"));
  std::optional<Publisher> in_thread = std::move(*client->publisher("channel"));
  std::optional<Publisher> afterwards = std::move(*client->publisher("channel"));
  std::atomic<int> delivered{0};
  auto subscription = client->subscribe("channel", [&](const Message&) {
    in_handler.reset();
    ++delivered;
  });
  ASSERT_TRUE(subscription);

  ASSERT_TRUE(afterwards->send("from one that ends late"));
  std::thread([&] {
    ASSERT_TRUE(in_thread->send("from one that ends in a thread"));
    in_thread.reset();
  }).join();
  EXPECT_TRUE(eventually([&] { return delivered == 2; }));
  EXPECT_TRUE(client->settle(10s));
  EXPECT_EQ(client->stats().accepted, 2U);

  client = std::unexpected(Error{});
  afterwards.reset();
  EXPECT_FALSE(in_handler);
}

TEST(Publishers, MayBeDestroyedByManyThreadsWhileNoServerIsThere) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);
  served.stop();

  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) EXPECT_TRUE(client->publisher("channel"));
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(client->stats().sent, 0U);
}

TEST(Publishers, OfAnEpochOrSequenceThatCannotBeSaidAreRefused) {
  constexpr std::uint64_t kTooLarge = std::uint64_t{1} << 62;
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);

  const auto epoch = client->publisher("channel", {.producer = "p", .epoch = kTooLarge});
  const auto sequence =
      client->publisher("channel", {.producer = "p", .next_sequence = Sequence(kTooLarge)});
  const auto fate = client->fate("channel", {.producer = named_producer("p"), .epoch = kTooLarge});

  ASSERT_FALSE(epoch || sequence || fate);
  EXPECT_EQ(epoch.error().kind, ErrorKind::kArgument);
  EXPECT_EQ(sequence.error().kind, ErrorKind::kArgument);
  EXPECT_EQ(fate.error().kind, ErrorKind::kArgument);
  EXPECT_TRUE(client->publisher("channel", {.producer = "p", .epoch = kTooLarge - 1}));
}

}  // namespace
}  // namespace orzatty
