// Mode datagram over real sockets, through the library's front doors.
#include <gmock/gmock.h>

#include <atomic>
#include <mutex>

#include "served.h"

namespace orzatty {
namespace {

ServerOptions with_datagrams() {
  ServerOptions options;
  options.channel_default.mode = DeliveryMode::kDatagram;
  return options;
}

// spec: DATAGRAM-6, DATAGRAM-7
TEST(DatagramChannel, BringsMessagesInOrderAndBalancesBothAccounts) {
  const Served served(with_datagrams());
  auto client = served.connect();
  ASSERT_TRUE(client);
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> in_order{true};
  SubscribeOptions options;
  options.on_gap = [&](std::string_view, const Gap& gap) { next = gap.to.value(); };
  auto subscription = client->subscribe(
      "game",
      [&](const Message& message) {
        if (message.offset().value() != next) in_order = false;
        next = message.offset().value() + 1;
      },
      options);
  ASSERT_TRUE(subscription);
  auto publisher = client->publisher("game", {.mode = DeliveryMode::kDatagram});
  ASSERT_TRUE(publisher);

  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(publisher->send("move " + std::to_string(i)));

  ASSERT_TRUE(eventually([&] { return client->stats().handed_to_network == 5000; }));
  EXPECT_TRUE(eventually([&] { return next > 0; }));
  const ClientStats stats = client->stats();
  EXPECT_EQ(stats.sent, 5000U);
  EXPECT_EQ(stats.waiting, 0U);
  EXPECT_TRUE(in_order);
}

TEST(DatagramChannel, RefusesAMessageThatFitsNoDatagramWhereItIsSent) {
  const Served served(with_datagrams());
  auto client = served.connect();
  ASSERT_TRUE(client);
  auto publisher = client->publisher("game", {.mode = DeliveryMode::kDatagram});
  ASSERT_TRUE(publisher);

  EXPECT_TRUE(publisher->send(std::string(kDatagramMessageSizeMax, 'x')));
  const auto refused = publisher->send(std::string(kDatagramMessageSizeMax + 1, 'x'));

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kTooLarge);
  EXPECT_THAT(refused.error().text, testing::HasSubstr("1100 of mode datagram"));
}

TEST(DatagramChannel, ReportsThatAMessageWasHandedToTheNetwork) {
  const Served served(with_datagrams());
  auto client = served.connect();
  ASSERT_TRUE(client);
  auto publisher = client->publisher("game", {.mode = DeliveryMode::kDatagram});
  ASSERT_TRUE(publisher);
  std::atomic<int> handed{0};

  ASSERT_TRUE(publisher->send("once", [&](const DeliveryReport& report) {
    handed += report.fate == Fate::kHandedToNetwork ? 1 : 0;
  }));

  EXPECT_TRUE(eventually([&] { return handed == 1; }));
}

}  // namespace
}  // namespace orzatty
