#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "net/clock.h"
#include "net/receive_batch.h"
#include "net/udp_socket.h"
#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;

TEST(ServerAndClient, AnEchoComesBackToTheSenderAlone) {
  Served served({}, [](Server& server) {
    ASSERT_TRUE(server.on(1, [](Peer& peer, const Message& message) {
      EXPECT_TRUE(peer.send(1, message.payload()).has_value());
    }));
  });
  auto client = served.connect();
  ASSERT_TRUE(client.has_value()) << client.error().text;
  std::atomic<int> echoes{0};
  ASSERT_TRUE(client->on(1, [&](const Message& message) {
    EXPECT_EQ(message.text(), "Hello Orzatty");
    ++echoes;
  }));

  ASSERT_TRUE(client->send(1, "Hello Orzatty"));

  EXPECT_TRUE(eventually([&] { return echoes == 1; }));
}

TEST(ServerAndClient, ASubscriberReceivesWhatIsPublishedInOrderWithItsPublishersIdentity) {
  Served served;
  auto publisher_client = served.connect();
  auto subscriber_client = served.connect();
  ASSERT_TRUE(publisher_client && subscriber_client);
  std::atomic<std::uint64_t> received{0};
  auto subscription = subscriber_client->subscribe("quotes.>", [&](const Message& message) {
    EXPECT_EQ(message.text(), std::to_string(received.load()));
    EXPECT_EQ(message.offset(), Offset(received.load()));
    EXPECT_EQ(message.publisher(), "alice");
    EXPECT_EQ(message.channel(), "quotes.AAPL");
    ++received;
  });
  ASSERT_TRUE(subscription.has_value()) << subscription.error().text;

  constexpr std::uint64_t kCount = 20'000;
  auto publisher = publisher_client->publisher("quotes.AAPL");
  for (std::uint64_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(publisher->send(std::to_string(i)));
  }
  EXPECT_TRUE(publisher_client->settle(20s));

  EXPECT_TRUE(eventually([&] { return received == kCount; }));
  const ClientStats stats = publisher_client->stats();
  EXPECT_EQ(stats.sent, kCount);
  EXPECT_EQ(stats.accepted, kCount);
  EXPECT_EQ(stats.waiting, 0U);
}

TEST(ServerAndClient, AReportTellsTheOffsetOfAnAcceptedMessage) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);
  auto publisher = client->publisher("reports");
  std::vector<DeliveryReport> reports;
  std::mutex mutex;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(publisher->send("x", [&](const DeliveryReport& report) {
      const std::lock_guard lock(mutex);
      reports.push_back(report);
    }));
  }
  ASSERT_TRUE(client->settle(20s));

  const std::lock_guard lock(mutex);
  ASSERT_EQ(reports.size(), 3U);
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(reports[i].fate, Fate::kAccepted);
    EXPECT_EQ(reports[i].sequence, Sequence(i));
    EXPECT_EQ(reports[i].offset, Offset(i));
  }
}

TEST(ServerAndClient, AMessageAboveTheLimitIsRefusedAtTheSenderWithTheLimitsName) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);
  const std::string largest(1024 * 1024, 'x');

  EXPECT_TRUE(client->send("large", largest));
  const auto refused = client->send("large", largest + "x");

  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::kTooLarge);
  EXPECT_NE(refused.error().text.find("message_size_max"), std::string::npos);
  EXPECT_TRUE(client->settle(20s));
}

TEST(ServerAndClient, AWrongTokenIsRefused) {
  Served served;
  ClientOptions options = served.client_options();
  options.token = "wrong";

  const auto client = Client::connect(served.address(), options);

  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(client.error().code, ErrorCode::kAuthenticationFailed);
}

TEST(ServerAndClient, SeveralTokensWithoutNamesAreTakenInTheirOrder) {
  Served served({.authenticate = tokens({"first", "second"})});
  ClientOptions options = served.client_options();
  options.token = "second";

  const auto client = Client::connect(served.address(), options);

  ASSERT_TRUE(client.has_value()) << client.error().text;
  EXPECT_EQ(client->identity(), "token-2");
}

TEST(ServerAndClient, TextThatIsNoneIsRefusedAtTheSenderAndTheSessionGoesOn) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);

  const auto refused = client->send("texts", Payload::text("\xff"));

  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::kArgument);
  EXPECT_TRUE(client->send("texts", Payload::text("ä")));
  EXPECT_TRUE(client->settle(20s));
}

TEST(ServerAndClient, ACertificateThatNobodyVouchesForIsRefused) {
  Served served;
  ClientOptions options = served.client_options();
  options.trust = Trust::system();

  const auto client = Client::connect(served.address(), options);

  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().kind, ErrorKind::kRefused);
}

TEST(ServerAndClient, NobodyListeningIsUnreachable) {
  ClientOptions options;
  options.connect_timeout = 5s;

  const auto client = Client::connect("127.0.0.1:1", options);

  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().kind, ErrorKind::kUnreachable);
}

TEST(ServerAndClient, ASilentServerIsTriedAgainUntilTheTimeToConnectIsOver) {
  auto silent = net::UdpSocket::bind(*base::Address::parse("127.0.0.1:0"), {});
  ASSERT_TRUE(silent);
  ClientOptions options;
  options.limits.handshake_timeout = 20ms;
  options.connect_timeout = 300ms;

  const Instant start = net::now();
  const auto client = Client::connect(silent->local_address().text(), options);

  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().kind, ErrorKind::kUnreachable);
  EXPECT_GE(net::now() - start, 300ms);
  net::ReceiveBatch batch;
  std::set<std::uint16_t> attempts;  // each from a socket of its own
  for (auto all = batch.receive(*silent, 16); !all.empty(); all = batch.receive(*silent, 16)) {
    for (const net::Received& one : all) attempts.insert(one.remote.port);
  }
  EXPECT_GE(attempts.size(), 2U);
}

TEST(ServerAndClient, AClientThatIsPolledNeedsNoThread) {
  Served served({}, [](Server& server) {
    ASSERT_TRUE(server.on("echo", [](Peer& peer, const Message& message) {
      EXPECT_TRUE(peer.send("echo", message.payload()).has_value());
    }));
  });
  ClientOptions options = served.client_options();
  options.drive = Drive::kPoll;
  auto client = Client::connect(served.address(), options);
  ASSERT_TRUE(client);
  auto publisher = client->publisher("echo");
  int echoes = 0;
  ASSERT_TRUE(client->on("echo", [&](const Message&) { ++echoes; }));

  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(publisher->try_send("tick"));
    while (echoes <= i) client->poll(1ms);
  }

  EXPECT_EQ(echoes, 100);
}

TEST(ServerAndClient, TheServerItselfPublishesIntoAChannel) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);
  std::atomic<int> received{0};
  auto subscription = client->subscribe("news", [&](const Message& message) {
    EXPECT_EQ(message.publisher(), "$server");
    ++received;
  });
  ASSERT_TRUE(subscription);

  ASSERT_TRUE(served.server().publish("news", "extra"));

  EXPECT_TRUE(eventually([&] { return received == 1; }));
}

TEST(ServerAndClient, APingTakesARoundTrip) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);

  const auto round_trip = client->ping();

  ASSERT_TRUE(round_trip.has_value()) << round_trip.error().text;
  EXPECT_GT(*round_trip, Duration::zero());
}

TEST(ServerAndClient, AStoppingServerTellsItsClientsAndEndsThemOrderly) {
  Served served;
  std::atomic<bool> draining{false};
  ClientOptions options = served.client_options();
  options.on_state = [&](const StateEvent& event) {
    if (event.state == ConnectionState::kDraining) draining = true;
  };
  auto client = Client::connect(served.address(), options);
  ASSERT_TRUE(client);

  served.stop();

  EXPECT_TRUE(eventually([&] { return draining.load(); }));
}

TEST(ServerAndClient, AClientComesBackToARestartedServerAndIsToldThatTheChannelBeganAnew) {
  auto served = std::make_unique<Served>();
  const std::string address = served->address();
  const ServerOptions again = {.certificate = served->certificate()};
  auto client = served->connect();
  ASSERT_TRUE(client);
  std::atomic<int> received{0};
  std::atomic<int> resets{0};
  SubscribeOptions options;
  options.on_reset = [&](std::string_view channel) {
    EXPECT_EQ(channel, "news");
    ++resets;
  };
  auto subscription = client->subscribe("news", [&](const Message&) { ++received; }, options);
  ASSERT_TRUE(subscription);
  ASSERT_TRUE(client->send("news", "before"));
  ASSERT_TRUE(client->settle(20s));
  ASSERT_TRUE(eventually([&] { return received == 1; }));

  served.reset();
  served = std::make_unique<Served>(again, address);
  ASSERT_TRUE(client->send("news", "after"));

  EXPECT_TRUE(client->settle(20s));
  EXPECT_TRUE(eventually([&] { return received == 2; }));
  EXPECT_EQ(resets, 1);
  EXPECT_EQ(client->stats().reconnects, 1U);
}

}  // namespace
}  // namespace orzatty
