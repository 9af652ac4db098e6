// What the way of a message through the hub allocates, counted: the operator new of this test
// binary keeps the books.

#include <gtest/gtest.h>

#include "hub/hub_for_test.h"
#include "session/counted_allocations_for_test.h"
#include "session/outbox.h"

namespace orzatty::hub::test {
namespace {

using session::test::allocation_count;

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
    sends.taken(offer->stream, size, offer->fin);
    hub.acked(peer, offer->stream, size, now);
    taken += size;
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

}  // namespace
}  // namespace orzatty::hub::test
