// Producers that outlive their process, and questions about what became of their messages.
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;

// FNV-1a of 128 bits, as published: of nothing, and of one character.
TEST(NamedProducer, HasTheSameIdEverywhere) {
  const ProducerId nothing = named_producer("");
  EXPECT_EQ(nothing.bytes[0], std::byte{0x6c});
  EXPECT_EQ(nothing.bytes[1], std::byte{0x62});
  EXPECT_EQ(nothing.bytes[15], std::byte{0x8d});
  const ProducerId a = named_producer("a");
  const std::array<std::uint8_t, 16> expected = {0xd2, 0x28, 0xcb, 0x69, 0x6f, 0x1a, 0x8c, 0xaf,
                                                 0x78, 0x91, 0x2b, 0x70, 0x4e, 0x4a, 0x89, 0x64};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(a.bytes[i], static_cast<std::byte>(expected[i])) << i;
  }
  EXPECT_NE(named_producer("ab"), named_producer("ba"));
}

TEST(NamedProducer, ThatIsStartedAgainPublishesEachSequenceOnceAndCanAskWhatBecameOfThem) {
  Served served;
  const PublisherOptions from_start{.producer = "recorder"};
  {
    auto first = served.connect();
    ASSERT_TRUE(first);
    auto publisher = first->publisher("log", from_start);
    ASSERT_TRUE(publisher);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(publisher->send(std::to_string(i)));
    ASSERT_TRUE(first->settle(20s));
  }

  auto second = served.connect();
  ASSERT_TRUE(second);
  const auto before = second->fate(
      "log", {.producer = named_producer("recorder"), .from = Sequence(1), .count = 4});
  // It stored that it had got to sequence 1.
  auto publisher = second->publisher("log", {.producer = "recorder", .next_sequence = Sequence(1)});
  ASSERT_TRUE(publisher);
  EXPECT_EQ(publisher->producer(), named_producer("recorder"));
  for (int i = 1; i < 5; ++i) ASSERT_TRUE(publisher->send(std::to_string(i)));
  ASSERT_TRUE(second->settle(20s));

  ASSERT_TRUE(before) << before.error().text;
  ASSERT_EQ(before->size(), 2U);
  EXPECT_EQ((*before)[0].kind, KnownFate::Kind::kAccepted);
  EXPECT_EQ((*before)[0].first_offset, Offset(1));
  EXPECT_EQ((*before)[0].to, Sequence(3));
  EXPECT_EQ((*before)[1].kind, KnownFate::Kind::kUnknown);
  const auto after = second->fate("log", {.producer = publisher->producer(), .count = 5});
  ASSERT_TRUE(after && after->size() == 1U);
  EXPECT_EQ((*after)[0].kind, KnownFate::Kind::kAccepted);
  EXPECT_EQ((*after)[0].to, Sequence(5));
  const ClientStats stats = second->stats();
  EXPECT_EQ(stats.sent, 4U);
  EXPECT_EQ(stats.accepted, 4U);
  std::atomic<int> received{0};
  auto subscription = second->subscribe(
      "log", [&](const Message& message) { EXPECT_EQ(message.text(), std::to_string(received++)); },
      {.from = StartPosition::start()});
  EXPECT_TRUE(eventually([&] { return received == 5; }));
}

// spec: PUBLISH-3
TEST(NamedProducer, OfANewerEpochShutsOutTheOlderOne) {
  Served served;
  auto older = served.connect();
  auto newer = served.connect();
  ASSERT_TRUE(older && newer);
  auto old_publisher = older->publisher("log", {.producer = "recorder", .epoch = 1});
  ASSERT_TRUE(old_publisher && old_publisher->send("of epoch 1") && older->settle(20s));
  auto new_publisher = newer->publisher("log", {.producer = "recorder", .epoch = 2});
  ASSERT_TRUE(new_publisher && new_publisher->send("of epoch 2") && newer->settle(20s));

  std::atomic<bool> fenced{false};
  ASSERT_TRUE(old_publisher->send("too late", [&](const DeliveryReport& report) {
    fenced = report.fate == Fate::kRejected && report.code == ErrorCode::kFenced;
  }));
  EXPECT_TRUE(older->settle(20s));

  EXPECT_TRUE(fenced);
  EXPECT_EQ(older->stats().rejected, 1U);
}

TEST(NamedProducer, WithoutANameHasNoEpoch) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);

  const auto publisher = client->publisher("log", {.epoch = 1});

  ASSERT_FALSE(publisher);
  EXPECT_EQ(publisher.error().kind, ErrorKind::kArgument);
}

TEST(Fate, OfNothingAtAllCannotBeAsked) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);

  const auto told = client->fate("log", {.producer = {}, .count = 0});

  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().kind, ErrorKind::kArgument);
}

}  // namespace
}  // namespace orzatty
