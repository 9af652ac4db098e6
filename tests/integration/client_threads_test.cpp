// The client's pump: whoever holds it, nobody waits for it longer than they must.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;

TEST(ClientPump, OthersGetItWhileOneThreadPollsForALongTime) {
  Served served;
  ClientOptions options = served.client_options();
  options.drive = Drive::kPoll;
  auto client = Client::connect(served.address(), options);
  ASSERT_TRUE(client);
  std::atomic<bool> polling{false};
  std::atomic<bool> asked{false};
  std::thread poller([&] {
    while (!asked) {
      polling = true;
      client->poll(1h);  // nothing else would end it
    }
  });
  ASSERT_TRUE(eventually([&] { return polling.load(); }));

  for (int i = 0; i < 100; ++i) EXPECT_EQ(client->identity(), "alice");

  asked = true;
  EXPECT_TRUE(client->ping().has_value());  // its answer ends the poll
  EXPECT_TRUE(client->close(0s).has_value());
  poller.join();
}

// Nothing is on its way to the thread that sleeps with the pump: only being woken ends its sleep
// before the next heartbeat, which is long in coming from either side.
TEST(ClientPump, ALoneMessageLeavesWhileAnotherThreadWaitsForSomethingElse) {
  ServerOptions server_options;
  server_options.limits.heartbeat_interval = 60s;
  server_options.limits.dead_after = 120s;
  Served served(server_options);
  ClientOptions options = served.client_options();
  options.limits.heartbeat_interval = server_options.limits.heartbeat_interval;
  options.limits.dead_after = server_options.limits.dead_after;
  auto client = Client::connect(served.address(), options);
  auto subscriber = served.connect();
  ASSERT_TRUE(client && subscriber);
  std::atomic<int> received{0};
  auto subscription = subscriber->subscribe("lone", [&](const Message&) { ++received; });
  ASSERT_TRUE(subscription);
  auto publisher = client->publisher("lone");
  ASSERT_TRUE(publisher);
  std::atomic<bool> done{false};
  std::thread waiter([&] {
    while (!done) client->poll(1h);
  });

  for (int i = 1; i <= 50 && !testing::Test::HasFailure(); ++i) {
    EXPECT_TRUE(client->settle(20s));  // or the last one's acknowledgement would end the sleep
    EXPECT_TRUE(publisher->send("x"));
    EXPECT_TRUE(eventually([&] { return received == i; })) << i;
  }

  done = true;
  EXPECT_TRUE(client->ping().has_value());  // its answer ends the poll
  EXPECT_TRUE(client->close(0s).has_value());
  waiter.join();
}

TEST(ClientPump, WhatAHandlerAppendsWhenThereIsRoomAgainGoesOutByItself) {
  Served served;
  ClientOptions options = served.client_options();
  options.limits.outbox_size_max = 64 * 1024;
  options.limits.message_size_max = 32 * 1024;
  auto client = Client::connect(served.address(), options);
  ASSERT_TRUE(client) << client.error().text;
  auto publisher = client->publisher("filled");
  ASSERT_TRUE(publisher);
  const std::string payload(8 * 1024, 'x');
  std::atomic<int> sent{0};
  const auto fill = [&] {
    while (sent < 1000 && publisher->try_send(payload)) ++sent;
    return sent < 1000;
  };
  std::function<void()> again = [&] {
    if (fill()) publisher->on_ready(again);
  };

  again();

  EXPECT_TRUE(eventually([&] { return sent == 1000; }));
  EXPECT_TRUE(client->settle(20s));
  EXPECT_EQ(client->stats().accepted, 1000U);
}

TEST(ClientPump, AChangeOfTheSocketKeepsTheSessionAndEveryMessage) {
  Served served;
  auto client = served.connect();
  auto subscriber = served.connect();
  ASSERT_TRUE(client && subscriber);
  std::atomic<std::uint64_t> received{0};
  auto subscription = subscriber->subscribe("moving", [&](const Message& message) {
    EXPECT_EQ(message.offset(), Offset(received.load()));
    ++received;
  });
  ASSERT_TRUE(subscription);
  auto publisher = client->publisher("moving");
  ASSERT_TRUE(publisher);

  for (int i = 0; i < 5000; ++i) {
    if (i % 2000 == 500) {
      EXPECT_TRUE(client->rebind().has_value());
      EXPECT_TRUE(subscriber->rebind().has_value());
      for (Client* moved : {&*client, &*subscriber}) {
        const auto answer = moved->ping();
        ASSERT_TRUE(answer.has_value()) << answer.error().text;
      }
    }
    ASSERT_TRUE(publisher->send("on the way"));
  }

  EXPECT_TRUE(client->settle(20s));
  EXPECT_TRUE(eventually([&] { return received == 5000U; }));
  EXPECT_EQ(client->stats().reconnects, 0U);
  EXPECT_EQ(subscriber->stats().reconnects, 0U);
}

TEST(Connecting, EveryAddressOfTheServersNameIsTried) {
  for (const std::string host : {"127.0.0.1", "[::1]"}) {
    Served served({}, host + ":0");
    const std::string address = served.address();
    const std::string port = address.substr(address.rfind(':'));

    const auto client = Client::connect("localhost" + port, served.client_options());

    EXPECT_TRUE(client.has_value()) << host << ": " << client.error().text;
  }
}

TEST(Limits, ASubscriberThatMeetsAMessageAboveItsLimitEndsAndSaysWhichLimitItIs) {
  constexpr std::uint32_t kLarge = 3 * 1024 * 1024;
  ServerOptions server_options;
  server_options.limits.message_size_max = kLarge;
  server_options.limits.stream_window = server_options.limits.outbox_size_max = 2 * kLarge;
  Served served(server_options);
  ClientOptions large = served.client_options();
  large.limits = server_options.limits;
  auto publisher = Client::connect(served.address(), large);
  ClientOptions usual = served.client_options();
  std::mutex mutex;
  std::string told;
  usual.on_state = [&](const StateEvent& event) {
    const std::lock_guard lock(mutex);
    if (event.state == ConnectionState::kClosed) told = event.text;
  };
  auto subscriber = Client::connect(served.address(), usual);
  ASSERT_TRUE(publisher && subscriber);
  auto subscription = subscriber->subscribe("large", [](const Message&) {});
  ASSERT_TRUE(subscription);

  ASSERT_TRUE(publisher->send("large", std::string(kLarge, 'x')));

  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return told.find("message_size_max = 1048576") != std::string::npos;
  })) << told;
  EXPECT_TRUE(publisher->settle(20s));
}

TEST(Handlers, ASubscriptionThatEndsInItsHandlerHearsNothingMore) {
  Served served;
  auto client = served.connect();
  auto publisher_client = served.connect();
  ASSERT_TRUE(client && publisher_client);
  std::atomic<int> received{0};
  std::atomic<bool> ended{false};
  std::optional<Subscription> subscription;
  std::atomic<bool> registered{false};
  SubscribeOptions options;
  options.on_end = [&](const Error& error) { ended = error.code == ErrorCode::kNone; };
  auto made = client->subscribe(
      "once",
      [&](const Message&) {
        ++received;
        if (registered) subscription->unsubscribe();
      },
      options);
  ASSERT_TRUE(made);
  subscription.emplace(std::move(*made));
  registered = true;
  auto publisher = publisher_client->publisher("once");
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(publisher->send("x"));
  ASSERT_TRUE(publisher_client->settle(20s));

  EXPECT_TRUE(eventually([&] { return ended.load(); }));
  EXPECT_EQ(received, 1);
}

TEST(Handlers, OneThatReplacesItselfFinishesWhatItBegan) {
  Served served({}, [](Server& server) {
    ASSERT_TRUE(server.on("echo", [](Peer& peer, const Message& message) {
      EXPECT_TRUE(peer.send("echo", message.payload()).has_value());
    }));
  });
  auto client = served.connect();
  ASSERT_TRUE(client);
  std::atomic<int> first{0};
  std::atomic<int> second{0};
  const std::string captured(100, 'c');
  ASSERT_TRUE(client->on("echo", [&, captured](const Message&) {
    EXPECT_TRUE(client->on("echo", [&](const Message&) { ++second; }).has_value());
    first += captured.size() == 100 ? 1 : 0;
  }));

  ASSERT_TRUE(client->send("echo", "a"));
  ASSERT_TRUE(eventually([&] { return first == 1; }));
  ASSERT_TRUE(client->send("echo", "b"));

  EXPECT_TRUE(eventually([&] { return second == 1; }));
  EXPECT_EQ(first, 1);
}

TEST(Handlers, ASubscriptionMayOutliveItsClient) {
  Served served;
  std::optional<Subscription> subscription;
  {
    auto client = served.connect();
    ASSERT_TRUE(client);
    auto made = client->subscribe("x", [](const Message&) {});
    ASSERT_TRUE(made);
    subscription.emplace(std::move(*made));
  }

  subscription.reset();
}

TEST(Closing, ACloseThatLeavesMessagesWithoutAFateSaysHowMany) {
  auto served = std::make_unique<Served>();
  auto client = served->connect();
  ASSERT_TRUE(client);
  served.reset();
  ASSERT_TRUE(client->send("void", "nobody answers"));

  const auto closed = client->close(50ms);

  ASSERT_FALSE(closed.has_value());
  EXPECT_EQ(closed.error().kind, ErrorKind::kTimeout);
  EXPECT_TRUE(closed.error().text.starts_with("1 message")) << closed.error().text;
  EXPECT_EQ(client->send("void", "x").error().code, ErrorCode::kClosedByUser);
}

}  // namespace
}  // namespace orzatty
