// A server whose peers are slow, gone or many, and that is stopped amid its work.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;

// Sends from a handler, and keeps why it was not taken.
struct Attempts {
  void send(Peer& peer, const ChannelRef& channel, const Payload& payload) {
    const auto sent = peer.send(channel, payload);
    results.push_back(sent ? std::nullopt : std::optional<Error>(sent.error()));
  }
  std::vector<std::optional<Error>> results;
  std::atomic<bool> done{false};
};

// The results of what `use` sends to a peer.
std::vector<std::optional<Error>> attempt(ServerOptions options,
                                          const std::function<void(Attempts&, Peer&)>& use) {
  Attempts attempts;
  Served served(std::move(options), [&](Server& server) {
    ASSERT_TRUE(server.on("ask", [&](Peer& peer, const Message&) {
      use(attempts, peer);
      attempts.done = true;
    }));
  });
  auto client = served.connect();
  EXPECT_TRUE(client.has_value()) << client.error().text;
  EXPECT_TRUE(client->send("ask", "now"));
  client->flush();
  EXPECT_TRUE(eventually([&] { return attempts.done.load(); }));
  return attempts.results;
}

TEST(PeerSend, ToAPeerThatWasClosedIsClosed) {
  const auto results = attempt({}, [](Attempts& attempts, Peer& peer) {
    attempts.send(peer, 1, "before");
    peer.close("enough");
    attempts.send(peer, 1, "after");
  });

  EXPECT_FALSE(results.at(0).has_value());
  ASSERT_TRUE(results.at(1).has_value());
  EXPECT_EQ(results.at(1)->kind, ErrorKind::kClosed);
}

TEST(PeerSend, OfAMessageAboveTheLimitIsTooLargeAndNamesTheLimit) {
  const auto results =
      attempt({.limits = {.message_size_max = 1000}}, [](Attempts& attempts, Peer& peer) {
        attempts.send(peer, 1, std::string(1000, 'x'));
        attempts.send(peer, 1, std::string(1001, 'x'));
      });

  EXPECT_FALSE(results.at(0).has_value());
  ASSERT_TRUE(results.at(1).has_value());
  EXPECT_EQ(results.at(1)->kind, ErrorKind::kTooLarge);
  EXPECT_NE(results.at(1)->text.find("message_size_max = 1000"), std::string::npos);
}

TEST(PeerSend, OfATextThatIsNoneOrToANameThatIsNoneIsTheCallersFault) {
  const auto results = attempt({}, [](Attempts& attempts, Peer& peer) {
    attempts.send(peer, 1, Payload::text("\xff"));
    attempts.send(peer, "not a name", "text");
  });

  ASSERT_TRUE(results.at(0).has_value() && results.at(1).has_value());
  EXPECT_EQ(results.at(0)->kind, ErrorKind::kArgument);
  EXPECT_EQ(results.at(0)->code, ErrorCode::kTextInvalid);
  EXPECT_EQ(results.at(1)->kind, ErrorKind::kArgument);
  EXPECT_EQ(results.at(1)->code, ErrorCode::kNameInvalid);
}

TEST(PeerSend, OnOneChannelTooManyIsTheCallersFaultAndTheOthersGoOn) {
  const auto results =
      attempt({.limits = {.subscription_count_max = 2}}, [](Attempts& attempts, Peer& peer) {
        for (const std::uint64_t channel : {1U, 2U, 3U, 1U}) attempts.send(peer, channel, "x");
      });

  EXPECT_FALSE(results.at(1).has_value());
  ASSERT_TRUE(results.at(2).has_value());
  EXPECT_EQ(results.at(2)->kind, ErrorKind::kArgument);
  EXPECT_EQ(results.at(2)->code, ErrorCode::kChannelLimit);
  EXPECT_NE(results.at(2)->text.find("subscription_count_max"), std::string::npos);
  EXPECT_FALSE(results.at(3).has_value());
}

TEST(PeerSend, ToAPeerWhoseLogIsFullIsBusy) {
  const auto results = attempt({}, [](Attempts& attempts, Peer& peer) {
    for (int i = 0; i < 8; ++i) attempts.send(peer, 1, std::string(1'000'000, 'x'));
  });

  EXPECT_FALSE(results.front().has_value());
  ASSERT_TRUE(results.back().has_value());
  EXPECT_EQ(results.back()->kind, ErrorKind::kBusy);
}

// A subscriber of one channel that does nothing any more once it has subscribed.
class Sleeper {
 public:
  Sleeper(const Served& served, std::string_view channel) {
    ClientOptions options = served.client_options();
    options.drive = Drive::kPoll;
    client_ = std::move(*Client::connect(served.address(), options));
    subscription_ = std::move(*client_->subscribe(channel, [](const Message&) {}));
  }

 private:
  std::optional<Client> client_;
  std::optional<Subscription> subscription_;
};

TEST(ServerPublish, IntoAFullChannelHoldsUpNoOther) {
  Served served({.limits = {.channel_size_max = 4 * 1024 * 1024}});
  const Sleeper sleeper(served, "slow");
  auto client = served.connect();
  ASSERT_TRUE(client);
  std::atomic<int> received{0};
  auto subscription = client->subscribe("fast", [&](const Message&) { ++received; });
  ASSERT_TRUE(subscription);
  const std::string body(100'000, 'x');

  for (int i = 0; i < 200; ++i) ASSERT_TRUE(served.server().publish("slow", body));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(served.server().publish("fast", "news"));

  EXPECT_TRUE(eventually([&] { return received == 10; }));
}

TEST(ServerPublish, IsClosedOnceTheServerHasStopped) {
  Served served;
  ASSERT_TRUE(served.server().publish("news", "while it runs"));

  served.stop();
  const auto published = served.server().publish("news", "afterwards");

  ASSERT_FALSE(published.has_value());
  EXPECT_EQ(published.error().kind, ErrorKind::kClosed);
}

TEST(ServerStop, DeliversAllThatWasPublishedBefore) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);
  std::atomic<int> received{0};
  auto subscription = client->subscribe("news", [&](const Message&) { ++received; });
  ASSERT_TRUE(subscription);

  constexpr int kCount = 100'000;
  const std::string body(200, 'x');
  for (int i = 0; i < kCount; ++i) ASSERT_TRUE(served.server().publish("news", body));
  served.stop();

  EXPECT_TRUE(eventually([&] { return received == kCount; }));
  EXPECT_EQ(client->stats().missed, 0U);
}

TEST(ServerStop, TellsWhomItLeftBehindAfterTheTimeToDrain) {
  std::mutex mutex;
  std::multimap<ServerEvent::Kind, std::string> told;
  Served served({.limits = {.drain_timeout = 300ms, .channel_size_max = 1024 * 1024},
                 .on_event = [&](const ServerEvent& event) {
                   const std::lock_guard lock(mutex);
                   told.emplace(event.kind, event.identity + "|" + event.text);
                 }});
  const Sleeper sleeper(served, "slow");
  auto other = served.connect();
  ASSERT_TRUE(other);
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(served.server().publish("slow", std::string(1'000'000, 'x')));
  }

  const auto begin = std::chrono::steady_clock::now();
  served.stop();
  const auto took = std::chrono::steady_clock::now() - begin;

  EXPECT_GE(took, 300ms);
  EXPECT_LT(took, 5s);  // by far less than a peer's silence takes
  const std::lock_guard lock(mutex);
  EXPECT_EQ(told.count(ServerEvent::Kind::kPeerLeftBehind), 1U);
  const auto left = told.find(ServerEvent::Kind::kPublishRejected);
  ASSERT_NE(left, told.end());
  EXPECT_EQ(left->second.find("slow|DRAINING"), 0U) << left->second;
}

// Exits with 0 if the exception came out of run().
void serve_until_a_handler_throws() {
  ServerOptions options;
  options.certificate = *Certificate::self_signed();
  options.authenticate = tokens({kToken});
  const std::string pin = *options.certificate.pin();
  auto server = Server::bind("127.0.0.1:0", std::move(options));
  if (!server || !server->on("throw", [](Peer&, const Message&) { throw 1; })) std::_Exit(2);
  const std::string address = server->addresses().front();
  std::thread([&] {
    ClientOptions client_options;
    client_options.token = kToken;
    client_options.trust = Trust::pinned(pin);
    auto client = Client::connect(address, client_options);
    if (!client || !client->send("throw", "now")) std::_Exit(3);
    static_cast<void>(client->settle(20s));
  }).detach();
  try {
    static_cast<void>(server->run());
  } catch (int) {
    std::_Exit(0);
  }
}

TEST(ServerHandlerDeathTest, ThatThrowsEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");

  EXPECT_EXIT(serve_until_a_handler_throws(), testing::KilledBySignal(SIGABRT), "terminate");
}

}  // namespace
}  // namespace orzatty
