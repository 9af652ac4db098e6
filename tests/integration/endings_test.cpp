// How a client ends: by its owner, in a handler, while others still refer to it.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;

TEST(Ending, NoHandlerRunsAfterAClientIsGoneWhoeverUnsubscribesMeanwhile) {
  Served served;
  auto publisher_client = served.connect();
  ASSERT_TRUE(publisher_client);
  auto publisher = publisher_client->publisher("busy");
  ASSERT_TRUE(publisher);
  std::atomic<bool> done{false};
  std::thread sender([&] {
    while (!done) static_cast<void>(publisher->send("x"));
  });
  for (int round = 0; round < 30; ++round) {
    std::atomic<bool> gone{false};
    std::atomic<int> late{0};
    auto client = std::make_unique<Client>(std::move(*served.connect()));
    auto subscription = client->subscribe("busy", [&](const Message&) { late += gone ? 1 : 0; });
    ASSERT_TRUE(subscription);

    std::thread other([&] { subscription->unsubscribe(); });
    client.reset();
    gone = true;
    other.join();

    EXPECT_EQ(late, 0);
  }
  done = true;
  sender.join();
}

TEST(Ending, ACloseInAHandlerSaysWhatHasNoFate) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);
  auto publisher = client->publisher("many");  // the handler's
  ASSERT_TRUE(publisher);
  std::atomic<int> closed{0};
  auto subscription = client->subscribe("many", [&](const Message&) {
    if (closed != 0) return;
    for (int i = 0; i < 100; ++i) static_cast<void>(publisher->try_send("not sent yet"));
    const auto result = client->close(5s);
    closed = !result && result.error().kind == ErrorKind::kTimeout ? 1 : 2;
  });
  ASSERT_TRUE(subscription);

  ASSERT_TRUE(client->send("many", "first"));

  EXPECT_TRUE(eventually([&] { return closed != 0; }));
  EXPECT_EQ(closed, 1);
}

TEST(Waiting, TheLongestTimeThatCanBeSaidIsNotOverAtOnce) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->send("a", std::string(1000, 'x')));

  EXPECT_TRUE(client->settle(Duration::max()));
  EXPECT_TRUE(client->ping(Duration::max()).has_value());
  EXPECT_TRUE(client->close(Duration::max()).has_value());
}

TEST(Sending, TryingDoesNotWaitForAnotherChannelsWriter) {
  auto served = std::make_unique<Served>();
  ClientOptions options = served->client_options();
  options.limits.outbox_size_max = 64 * 1024;
  options.limits.message_size_max = 32 * 1024;
  auto client = Client::connect(served->address(), options);
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->send("other", "made before"));
  served.reset();  // nobody answers any more, so the outbox fills up
  std::atomic<int> sent{0};
  std::thread full([&] {
    while (client->send("full", std::string(8 * 1024, 'x'))) ++sent;
  });
  ASSERT_TRUE(eventually([&] { return sent >= 6; }));

  EXPECT_TRUE(client->try_send("other", "at once").has_value());

  static_cast<void>(client->close(0s));
  full.join();
}

TEST(Subscribing, OneMoreThanTheLimitIsRefusedByNameAndTheOthersGoOn) {
  Served served;
  ClientOptions options = served.client_options();
  options.limits.subscription_count_max = 2;
  auto client = Client::connect(served.address(), options);
  ASSERT_TRUE(client);
  std::atomic<int> received{0};
  auto first = client->subscribe("a", [&](const Message&) { ++received; });
  auto second = client->subscribe("b", [](const Message&) {});
  ASSERT_TRUE(first && second);

  const auto third = client->subscribe("c", [](const Message&) {});

  ASSERT_FALSE(third.has_value());
  EXPECT_NE(third.error().text.find("subscription_count_max = 2"), std::string::npos);
  ASSERT_TRUE(client->send("a", "still there"));
  EXPECT_TRUE(eventually([&] { return received == 1; }));
  EXPECT_EQ(client->stats().reconnects, 0U);
}

TEST(Identities, OneThatCannotStandOnAMessageIsRefusedAtTheDoor) {
  for (const std::string& identity : {std::string(256, 'a'), std::string("$server")}) {
    ServerOptions options;
    options.authenticate = [identity](BytesView) { return identity; };
    Served served(std::move(options));

    const auto client = served.connect();

    EXPECT_FALSE(client.has_value());
  }
}

}  // namespace
}  // namespace orzatty
