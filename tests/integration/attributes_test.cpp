// Attributes and deadlines of messages, over real sockets.
#include <atomic>
#include <mutex>

#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;

// A copy of what a handler saw.
struct Seen {
  std::string text;
  std::string key;
  MessageAttributes attributes;  // without its views
};

class Inbox {
 public:
  void take(const Message& message) {
    Seen seen{std::string(message.text()), "", message.attributes()};
    seen.key = text_of(seen.attributes.key);
    seen.attributes.key = {};
    const std::lock_guard lock(mutex_);
    seen_.push_back(std::move(seen));
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return seen_.size();
  }
  [[nodiscard]] Seen at(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    return seen_.at(index);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Seen> seen_;
};

// spec: FRAME-8
TEST(Attributes, ReachSubscribersHandlersAndWhoIsSentToAlone) {
  Inbox handled;
  const Served served({}, [&](Server& server) {
    EXPECT_TRUE(server.on(1, [&](Peer& peer, const Message& message) {
      handled.take(message);
      const MessageAttributes attributes = message.attributes();
      EXPECT_TRUE(peer.send(1, Payload(message.text()).with({.key = attributes.key})));
    }));
  });
  Inbox inbox;
  Inbox direct;
  auto client = served.connect();
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->on(1, [&](const Message& message) { direct.take(message); }));
  auto subscription =
      client->subscribe("prices", [&](const Message& message) { inbox.take(message); });
  ASSERT_TRUE(subscription);
  CorrelationId correlation;
  correlation.bytes.fill(std::byte{7});
  const MessageAttributes attributes{.time_to_live = 60s,
                                     .correlation = correlation,
                                     .timestamp = 5us,
                                     .schema = std::array<std::byte, 8>{std::byte{9}},
                                     .key = bytes_of("AAPL"),
                                     .priority = true};

  ASSERT_TRUE(client->send("prices", Payload::text("17.5").with(attributes)));
  ASSERT_TRUE(client->send(1, Payload("hello").with(attributes)));
  ASSERT_TRUE(client->send("prices", "plain"));
  ASSERT_TRUE(client->settle(10s));
  ASSERT_TRUE(const_cast<Served&>(served).server().publish(
      "prices", Payload("own").with({.key = bytes_of("MSFT")})));

  ASSERT_TRUE(eventually([&] { return inbox.size() == 3 && direct.size() == 1; }));
  const Seen seen = inbox.at(0);
  EXPECT_EQ(seen.text, "17.5");
  EXPECT_EQ(seen.key, "AAPL");
  EXPECT_EQ(seen.attributes.time_to_live, 60s);
  EXPECT_EQ(seen.attributes.correlation, correlation);
  EXPECT_EQ(seen.attributes.timestamp, 5us);
  EXPECT_EQ(seen.attributes.schema, attributes.schema);
  EXPECT_TRUE(seen.attributes.priority);
  EXPECT_EQ(handled.at(0).key, "AAPL");
  EXPECT_EQ(direct.at(0).key, "AAPL");
  EXPECT_EQ(inbox.at(1).key, "");
  EXPECT_EQ(inbox.at(2).key, "MSFT");
}

TEST(Attributes, ThatNoMessageMayHaveAreRefusedAtTheSender) {
  const Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);
  const std::string long_key(256, 'k');
  for (const MessageAttributes& wrong :
       {MessageAttributes{.time_to_live = -1ms}, MessageAttributes{.timestamp = -1us},
        MessageAttributes{.key = bytes_of(long_key)}, MessageAttributes{.sender = "bob"}}) {
    const auto sent = client->send("x", Payload("y").with(wrong));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().kind, ErrorKind::kArgument);
  }
  const Bytes largest(Limits{}.message_size_max);
  EXPECT_TRUE(client->send("x", largest));
  const auto sent = client->send("x", Payload(largest).with({.time_to_live = 1s}));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::kTooLarge);
  EXPECT_TRUE(client->settle(10s));
}

// spec: DEADLINE-1
TEST(Deadline, OfAMessageThatExpiresWhileNoServerIsThereIsReportedAndCounted) {
  auto served = std::make_unique<Served>();
  auto client = served->connect();
  ASSERT_TRUE(client);
  auto publisher = client->publisher("news");
  ASSERT_TRUE(publisher);
  ASSERT_TRUE(publisher->send("in time"));
  ASSERT_TRUE(client->settle(10s));
  served->stop();
  served.reset();
  std::atomic<int> expired = 0;
  const auto report = [&](const DeliveryReport& delivery) {
    if (delivery.fate == Fate::kExpired && delivery.code == ErrorCode::kExpired) ++expired;
  };

  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(publisher->send(Payload("late").with({.time_to_live = 0ms}), report));
  }

  EXPECT_TRUE(eventually([&] { return expired == 3; }));
  const ClientStats stats = client->stats();
  EXPECT_EQ(stats.expired, 3U);
  EXPECT_EQ(stats.sent,
            stats.accepted + stats.rejected + stats.expired + stats.unknown + stats.waiting);
  EXPECT_EQ(stats.waiting, 0U);
}

// spec: DEADLINE-2
TEST(Deadline, OfAMessageThatExpiredInTheChannelIsAGapForWhoComesLate) {
  const Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->send("news", "first"));
  ASSERT_TRUE(client->send("news", Payload("short-lived").with({.time_to_live = 200ms})));
  ASSERT_TRUE(client->settle(10s));
  Inbox inbox;
  std::atomic<std::uint64_t> missed = 0;
  const auto on_gap = [&](std::string_view, const Gap& gap) {
    if (gap.reason == GapReason::kExpired) missed += gap.to - gap.from;
  };

  // Whoever comes often enough comes too late in the end.
  EXPECT_TRUE(eventually([&] {
    auto subscription =
        client->subscribe("news", [&](const Message& message) { inbox.take(message); },
                          {.from = StartPosition::start(), .on_gap = on_gap});
    return subscription && client->ping() && missed > 0;
  }));
  EXPECT_EQ(inbox.at(0).text, "first");
}

}  // namespace
}  // namespace orzatty
