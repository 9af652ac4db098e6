// Channels that keep no order, over real sockets.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;

// What came, in whatever order; written by the client's thread.
class Inbox {
 public:
  void take(std::string_view text) {
    const std::lock_guard lock(mutex_);
    texts_.emplace_back(text);
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return texts_.size();
  }
  [[nodiscard]] std::vector<std::string> sorted() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> texts = texts_;
    std::ranges::sort(texts);
    return texts;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> texts_;
};

ServerOptions unordered() {
  ServerOptions options;
  options.channel_default.mode = DeliveryMode::kUnordered;
  return options;
}

// spec: PUBLISH-10, SUBSCRIBE-8
TEST(UnorderedChannel, DeliversEachOfManyMessagesOnceAndReportsEachFate) {
  Served served(unordered());
  Inbox inbox;
  auto subscriber = served.connect();
  ASSERT_TRUE(subscriber);
  const auto subscription = subscriber->subscribe(
      "work", [&](const Message& message) { inbox.take(message.text()); });
  ASSERT_TRUE(subscription);
  auto client = served.connect();
  ASSERT_TRUE(client);
  auto publisher = client->publisher("work", {.mode = DeliveryMode::kUnordered});
  ASSERT_TRUE(publisher);

  std::vector<std::string> published;
  for (std::size_t i = 0; i < 5000; ++i) {
    published.push_back(std::to_string(i) + ":" + std::string(i * 37 % 4000, '.'));
    ASSERT_TRUE(publisher->send(published.back()));
  }
  ASSERT_TRUE(client->settle(20s));
  ASSERT_TRUE(eventually([&] { return inbox.size() >= published.size(); }));

  EXPECT_EQ(client->stats().accepted, published.size());
  std::ranges::sort(published);
  EXPECT_TRUE(inbox.sorted() == published);
}

// spec: PUBLISH-9
TEST(UnorderedChannel, TakesAPublisherThatKeepsAnOrderToo) {
  Served served(unordered());
  auto client = served.connect();
  ASSERT_TRUE(client);

  auto publisher = client->publisher("work");
  ASSERT_TRUE(publisher);
  ASSERT_TRUE(publisher->send("in order"));

  EXPECT_TRUE(client->settle(20s));
  EXPECT_EQ(client->stats().accepted, 1U);
}

}  // namespace
}  // namespace orzatty
