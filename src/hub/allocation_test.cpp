// What the way of a message through the hub allocates, counted: the operator new of this test
// binary keeps the books.

#include <gtest/gtest.h>

#include "hub/hub_for_test.h"
#include "hub/publications.h"
#include "session/counted_allocations_for_test.h"
#include "session/outbox.h"

namespace orzatty::hub::test {
namespace {

using session::test::allocation_count;
using session::test::held_bytes;

// Takes a datagram; every third is lost on its way.
void take_datagram(Hub& hub, PeerKey peer, const session::Offer& offer, std::uint64_t size) {
  hub.source(peer).datagram_taken(offer.stream);
  hub.sends(peer).datagram_taken(offer.stream, size);
  if (offer.datagram->value() % 3 == 0) {
    hub.datagram_lost(peer, *offer.datagram);
  } else {
    hub.datagram_acked(peer, *offer.datagram);
  }
}

// Takes everything that a peer is offered, and acknowledges it.
std::uint64_t take_offers(Hub& hub, PeerKey peer, Instant now) {
  hub.flush(peer, now);
  hub.credits(peer).clear();
  session::SendTable& sends = hub.sends(peer);
  while (const auto key = sends.next_to_open()) sends.opened(*key);
  std::uint64_t taken = 0;
  while (const auto offer = sends.offer(hub.source(peer))) {
    std::uint64_t size = 0;
    for (const BytesView span : offer->bytes()) size += span.size();
    taken += size;
    if (offer->datagram) {
      take_datagram(hub, peer, *offer, size);
      continue;
    }
    sends.taken(offer->stream, size, offer->fin);
    hub.acked(peer, offer->stream, size, now);
  }
  hub.written(peer, now);
  return taken;
}

PeerKey admit(Hub& hub, std::string_view identity, Instant now) {
  const PeerKey peer = hub.open_peer(now);
  hub.sends(peer).opened(session::kControlKey);
  const Bytes hello = session::test::frame(session::test::hello());
  hub.handle_control(peer, hello, session::Fin::kNo, now);
  while (hub.poll()) continue;
  hub.admit(peer, std::string(identity), SessionId{}, now);
  while (hub.poll()) continue;
  return peer;
}

TEST(Allocation, IsNotNeededForMessagesThroughTheHubToThreeSubscribers) {
  Instant now{};
  Hub hub({}, 1, now);
  for (int i = 0; i < 3; ++i) {
    const PeerKey peer = admit(hub, "reader", now);
    const Bytes request = session::test::frame(
        wire::Subscribe{.subscription = SubscriptionId(1),
                        .pattern = *ChannelPattern::parse(i == 0 ? ">" : "news"),
                        .start = {},
                        .positions = {}});
    hub.handle_control(peer, request, session::Fin::kNo, now);
    while (hub.poll()) continue;
  }
  const PeerKey publisher = admit(hub, "alice", now);
  const Bytes preface = session::test::frame(wire::Publish{.publication = PublicationId(1),
                                                           .producer = producer_id(1),
                                                           .epoch = {},
                                                           .next = {},
                                                           .channel = channel("news")});
  hub.handle_stream(publisher, RemoteStream(2), preface, session::Fin::kNo, now);
  while (hub.poll()) continue;
  Bytes run;
  const Bytes message = session::test::message(std::string(60, 'x'));
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::vector<PeerKey> ready;
  const auto publish = [&](int batches, std::uint64_t batch) {
    for (int i = 0; i < batches; ++i) {
      now += std::chrono::microseconds(50);
      run.clear();
      wire::encode(wire::Run{.first = sent, .size = batch * message.size(), .nonce = 1}, run);
      for (std::uint64_t k = 0; k < batch; ++k)
        run.insert(run.end(), message.begin(), message.end());
      sent += batch;
      hub.handle_stream(publisher, RemoteStream(2), run, session::Fin::kNo, now);
      while (hub.poll()) continue;
      ready.clear();
      hub.take_ready(ready);
      for (const PeerKey peer : ready) {
        const std::uint64_t taken = take_offers(hub, peer, now);
        if (peer != publisher) delivered += taken;
      }
    }
  };
  publish(20'000, 10);
  publish(20'000, 1);

  const std::size_t before = allocation_count;
  const std::uint64_t sent_before = sent;
  publish(8'000, 10);
  publish(20'000, 1);

  EXPECT_EQ(allocation_count - before, 0U);
  EXPECT_EQ(sent - sent_before, 100'000U);
  EXPECT_EQ(hub.counters().messages_out, 3 * sent);
  EXPECT_GT(delivered, 3 * sent * message.size());
}

TEST(Allocation, IsNotNeededForTheServersOwnMessages) {
  Instant now{};
  Hub hub({}, 1, now);
  const ChannelName name = channel("news");
  const Bytes payload(64);
  const auto publish = [&](int count) {
    for (int i = 0; i < count; ++i) {
      now += std::chrono::microseconds(1);
      ASSERT_EQ(hub.publish(name, MessageType::kRaw, payload, now), ErrorCode::kNone);
    }
  };
  publish(300'000);

  const std::size_t before = allocation_count;
  publish(100'000);

  EXPECT_EQ(allocation_count - before, 0U);
}

TEST(Allocation, IsNotNeededForValuesThatTakeThePlaceOfOthers) {
  Instant now{};
  Hub hub({.limits = {}, .rules = {}, .channel_default = {.mode = DeliveryMode::kLatest, .retention = {}}}, 1, now);
  const PeerKey reader = admit(hub, "reader", now);
  const Bytes request =
      session::test::frame(wire::Subscribe{.subscription = SubscriptionId(1),
                                           .pattern = *ChannelPattern::parse("quotes"),
                                           .start = {},
                                           .positions = {}});
  hub.handle_control(reader, request, session::Fin::kNo, now);
  while (hub.poll()) continue;
  const ChannelName name = channel("quotes");
  const Bytes payload(64);
  const std::array<std::string, 3> keys = {"AAPL", "a key that is a little longer", ""};
  std::uint64_t delivered = 0;
  const auto publish = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      now += std::chrono::microseconds(1);
      const MessageAttributes attributes{.key = bytes_of(keys[i % keys.size()])};
      ASSERT_EQ(hub.publish(name, MessageType::kRaw, payload, now, attributes), ErrorCode::kNone);
      if (i % 10 == 0) delivered += take_offers(hub, reader, now);
    }
  };
  publish(100'000);

  const std::size_t before = allocation_count;
  publish(100'000);

  EXPECT_EQ(allocation_count - before, 0U);
  EXPECT_GT(delivered, 20'000 * payload.size());
}

TEST(Allocation, IsNotNeededForDatagrams) {
  Instant now{};
  Hub hub({.limits = {},
           .rules = {},
           .channel_default = {.mode = DeliveryMode::kDatagram, .retention = {}}},
          1, now);
  const PeerKey reader = admit(hub, "reader", now);
  const Bytes request =
      session::test::frame(wire::Subscribe{.subscription = SubscriptionId(1),
                                           .pattern = *ChannelPattern::parse("game"),
                                           .start = {},
                                           .positions = {}});
  hub.handle_control(reader, request, session::Fin::kNo, now);
  const PeerKey publisher = admit(hub, "alice", now);
  const Bytes preface = session::test::frame(wire::Publish{.publication = PublicationId(1),
                                                           .producer = producer_id(1),
                                                           .epoch = {},
                                                           .next = {},
                                                           .channel = channel("game"),
                                                           .mode = DeliveryMode::kDatagram});
  hub.handle_stream(publisher, RemoteStream(2), preface, session::Fin::kNo, now);
  while (hub.poll()) continue;
  const Bytes message = session::test::message(std::string(60, 'x'));
  wire::DatagramHeader header;
  Bytes datagram;
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  const auto publish = [&](int count) {
    for (int i = 0; i < count; ++i, ++sent) {
      now += std::chrono::microseconds(50);
      const std::size_t size = wire::encode_header(
          wire::PublishDatagram{PublicationId(1), Sequence(sent), 0, false, {}}, header);
      datagram.assign(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size));
      datagram.insert(datagram.end(), message.begin(), message.end());
      hub.handle_datagram(publisher, datagram, now);
      while (hub.poll()) continue;
      delivered += take_offers(hub, reader, now);
    }
  };
  publish(50'000);

  const std::size_t before = allocation_count;
  publish(50'000);

  EXPECT_EQ(allocation_count - before, 0U);
  EXPECT_EQ(hub.counters().messages_out, 100'000U);
  EXPECT_GT(delivered, 100'000U * message.size());
  EXPECT_GT(hub.counters().datagrams_lost, 30'000U);
}

TEST(Allocation, IsNotNeededForDirectMessages) {
  Instant now{};
  Hub hub({}, 1, now);
  const PeerKey peer = admit(hub, "alice", now);
  const ChannelName name = channel("echo");
  const Bytes payload(64);
  const auto send = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(hub.send_direct(peer, name, MessageType::kRaw, payload), ErrorCode::kNone);
      if (i % 10 == 0) take_offers(hub, peer, now);
    }
  };
  send(100'000);

  const std::size_t before = allocation_count;
  send(100'000);

  EXPECT_EQ(allocation_count - before, 0U);
}

// ---- Memory that peers can make the hub take, counted against what it says that it takes.

Bytes message_of(std::string_view payload, const MessageAttributes& attributes = {}) {
  std::array<std::byte, wire::kMessageHeaderSizeMax> header;
  const auto size =
      wire::encode_message_header(header, MessageType::kRaw, attributes, payload.size());
  Bytes message = copy_of(BytesView(header).first(size));
  const BytesView bytes = bytes_of(payload);
  message.insert(message.end(), bytes.begin(), bytes.end());
  return message;
}

// What somebody sends who waits for nothing.
class Attack {
 public:
  explicit Attack(HubConfig config)
      : hub_(std::move(config), 1, now_), peer_(admit(hub_, std::string(255, 'a'), now_)) {}

  // A stream of its own, in a publication of that number and of a producer of the same.
  void open(std::uint64_t number, DeliveryMode mode) {
    give(number, session::test::frame(preface(number, mode, false)));
  }
  void send(std::uint64_t number, std::uint64_t first, const Bytes& message,
            session::Fin fin = session::Fin::kNo) {
    Bytes run;
    wire::encode(wire::Run{.first = first, .size = message.size(), .nonce = 1}, run);
    run.insert(run.end(), message.begin(), message.end());
    give(number, run, fin);
  }
  // By itself, of a publication that keeps no order.
  void pass(std::uint64_t number, std::uint64_t sequence, const Bytes& message) {
    const std::uint64_t stream = ++passed_ + 1'000'000;
    give(stream, session::test::frame(preface(number, DeliveryMode::kUnordered, true)));
    send(stream, sequence, message, session::Fin::kYes);
  }
  void end(std::uint64_t number) { give(number, {}, session::Fin::kYes); }
  // Its connection breaks, and it comes back.
  void come_back() {
    hub_.close_peer(peer_, ErrorCode::kClosedByUser, "", now_);
    while (hub_.poll()) continue;
    hub_.lose_peer(peer_, now_);
    while (hub_.poll()) continue;
    peer_ = admit(hub_, std::string(255, 'a'), now_);
  }
  [[nodiscard]] Hub& hub() { return hub_; }

 private:
  static wire::Publish preface(std::uint64_t number, DeliveryMode mode, bool passing) {
    wire::Publish publish{.publication = PublicationId(number),
                          .producer = {},
                          .epoch = {},
                          .next = {},
                          .channel = channel("target"),
                          .mode = mode,
                          .passing = passing};
    std::memcpy(publish.producer.bytes.data(), &number, sizeof(number));
    return publish;
  }
  void give(std::uint64_t stream, const Bytes& bytes, session::Fin fin = session::Fin::kNo) {
    hub_.handle_stream(peer_, RemoteStream(2 + 4 * stream), bytes, fin, now_);
    while (hub_.poll()) continue;
    if (++given_ % 16 == 0) take_offers(hub_, peer_, now_);
  }

  const Instant now_{};
  Hub hub_;
  PeerKey peer_;
  std::uint64_t passed_ = 0;
  std::uint64_t given_ = 0;
};

constexpr std::uint32_t kHubSize = 4 * 1024 * 1024;
// A peer's session, and a channel; and what grows holds twice as much while it does.
constexpr std::size_t kBesides = 256 * 1024;

HubConfig small_hub(const ChannelConfig& config) {
  Limits limits;
  limits.hub_size_max = kHubSize;
  limits.segment_keep_max = 0;
  limits.control_backlog_max = 64 * 1024 * 1024;
  return config_of(config, limits);
}

TEST(Memory, OfPublicationsThatTakeTurnsWithSmallMessagesIsThatOfTheHub) {
  const std::size_t before = held_bytes;
  Attack attack(small_hub({.retention = {}}));
  const Bytes message = message_of("x");
  for (const std::uint64_t number : {1U, 2U}) attack.open(number, DeliveryMode::kReliable);

  for (std::uint64_t i = 0; i < 100'000; ++i) {
    for (const std::uint64_t number : {1U, 2U}) attack.send(number, i, message);
  }

  EXPECT_GT(attack.hub().counters().rejected, 0U);
  EXPECT_LE(held_bytes - before, kHubSize + kBesides);
  EXPECT_LE(held_bytes - before, attack.hub().held_bytes() + kBesides);
}

// What `serve --check` says of them.
TEST(Memory, OfAnOpenPublicationIsAtMostFourKilobytes) {
  HubConfig config = small_hub({.mode = DeliveryMode::kUnordered, .retention = {}});
  config.limits.channel_count_max = 1;
  Attack attack(std::move(config));
  ASSERT_EQ(attack.hub().publish(channel("another"), MessageType::kRaw, {}, Instant{}),
            ErrorCode::kNone);
  const std::size_t before = held_bytes;

  for (std::uint64_t number = 1; number <= 1000; ++number) {
    attack.open(number, DeliveryMode::kUnordered);
    for (std::uint64_t i = 1; i <= Publications::kScatterFree; ++i) {
      attack.pass(number, 2 * i, message_of("x"));
    }
  }

  ASSERT_EQ(attack.hub().counters().rejected, 1000 * Publications::kScatterFree);
  EXPECT_LE((held_bytes - before) / 1000, 4'000U);
}

TEST(Memory, OfAChannelBesideWhatCountsAsTheHubsIsAtMostSeventeenHundredBytes) {
  HubConfig config = small_hub({.retention = {}});
  Hub hub(std::move(config), 1, Instant{});
  const std::size_t before = held_bytes;

  for (int i = 0; i < 1000; ++i) {
    const std::string name = std::string(250, 'c') + std::to_string(i);
    ASSERT_EQ(hub.publish(channel(name), MessageType::kRaw, {}, Instant{}), ErrorCode::kNone);
  }

  EXPECT_LE((held_bytes - before - hub.held_bytes()) / 1000, 1'700U);
}

TEST(Memory, OfProducersThatLeaveNothingBehindIsThatOfTheHub) {
  const std::size_t before = held_bytes;
  Attack attack(small_hub({.retention = {}}));
  ASSERT_EQ(attack.hub().publish(channel("target"), MessageType::kRaw, {}, Instant{}),
            ErrorCode::kNone);

  for (std::uint64_t number = 1; number <= 20'000; ++number) {
    attack.open(number, DeliveryMode::kReliable);
    attack.end(number);
  }

  EXPECT_LE(held_bytes - before, attack.hub().held_bytes() + kBesides);
}

TEST(Memory, OfProducersOfAMessageEachIsThatOfTheHub) {
  const std::size_t before = held_bytes;
  Attack attack(small_hub({.retention = {}}));

  for (std::uint64_t number = 1; number <= 20'000; ++number) {
    attack.open(number, DeliveryMode::kReliable);
    attack.send(number, 0, message_of("x"), session::Fin::kYes);
  }

  EXPECT_GT(attack.hub().counters().rejected, 0U);
  EXPECT_LE(held_bytes - before, attack.hub().held_bytes() + kBesides);
}

TEST(Memory, OfUnorderedPublishersThatFindNoRoomForTheirChannelIsThatOfTheHub) {
  const std::size_t before = held_bytes;
  HubConfig config = small_hub({.mode = DeliveryMode::kUnordered, .retention = {}});
  config.limits.channel_count_max = 1;
  Attack attack(std::move(config));
  ASSERT_EQ(attack.hub().publish(channel("another"), MessageType::kRaw, {}, Instant{}),
            ErrorCode::kNone);

  for (std::uint64_t number = 1; number <= 1000; ++number) {
    attack.open(number, DeliveryMode::kUnordered);
    for (std::uint64_t i = 1; i <= 200; ++i) attack.pass(number, 2 * i, message_of("x"));
    attack.come_back();
  }

  EXPECT_LE(attack.hub().held_bytes(), kHubSize);
  EXPECT_LE(held_bytes - before, attack.hub().held_bytes() + kBesides);
}

TEST(Memory, OfKeysThatEachAnotherProducerSetIsThatOfTheHub) {
  const std::size_t before = held_bytes;
  Attack attack(small_hub({.mode = DeliveryMode::kLatest, .retention = {.count = 1}}));

  for (std::uint64_t number = 1; number <= 20'000; ++number) {
    const std::string text = std::to_string(number);
    const std::string key = text + std::string(MessageAttributes::kKeySizeMax - text.size(), 'k');
    const MessageAttributes attributes{.time_to_live = 1h, .key = bytes_of(key)};
    attack.open(number, DeliveryMode::kLatest);
    attack.send(number, 0, message_of("x", attributes), session::Fin::kYes);
  }

  EXPECT_GT(attack.hub().counters().rejected, 0U);
  EXPECT_LE(held_bytes - before, attack.hub().held_bytes() + kBesides);
}

TEST(Memory, OfDeadlinesIsThatOfTheHub) {
  const std::size_t before = held_bytes;
  Attack attack(small_hub({.retention = {}}));
  attack.open(1, DeliveryMode::kReliable);

  for (std::uint64_t i = 0; i < 30'000; ++i) {
    const auto lifetime = std::chrono::milliseconds(100'000 + i);
    attack.send(1, i, message_of("x", {.time_to_live = lifetime}));
  }

  EXPECT_LE(held_bytes - before, attack.hub().held_bytes() + kBesides);
}

TEST(Memory, OfDebtsToWhoPublishesForASubscriberThatDoesNotReadIsThatOfTheHub) {
  const std::size_t before = held_bytes;
  Attack attack(small_hub({.retention = {.count = 1}, .slow_policy = SlowPolicy::kWait}));
  const PeerKey reader = admit(attack.hub(), "reader", Instant{});
  const Bytes request =
      session::test::frame(wire::Subscribe{.subscription = SubscriptionId(1),
                                           .pattern = *ChannelPattern::parse("target"),
                                           .start = {},
                                           .positions = {}});
  attack.hub().handle_control(reader, request, session::Fin::kNo, Instant{});
  while (attack.hub().poll()) continue;
  for (const std::uint64_t number : {1U, 2U}) attack.open(number, DeliveryMode::kReliable);

  for (std::uint64_t i = 0; i < 50'000; ++i) {
    for (const std::uint64_t number : {1U, 2U}) attack.send(number, i, message_of("x"));
  }

  EXPECT_GT(attack.hub().counters().rejected, 0U);
  EXPECT_LE(held_bytes - before, attack.hub().held_bytes() + kBesides);
}

}  // namespace
}  // namespace orzatty::hub::test
