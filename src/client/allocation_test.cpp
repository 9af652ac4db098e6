// What a message costs in memory at a client, counted.

#include <gtest/gtest.h>

#include "client/client_for_test.h"
#include "session/counted_allocations_for_test.h"
#include "wire/datagram.h"

namespace orzatty::client {
namespace {

using session::test::allocation_count;
using session::test::frame;
using session::test::joined;

class AllocationTest : public test::ClientTest {};

TEST_F(AllocationTest, IsNotNeededToSendMessagesAndToLearnTheirFate) {
  const PublicationId publication = engine_->publish(ChannelName::of(1));
  connect();
  const Bytes payload(64);
  const session::StreamKey stream(1);
  std::uint64_t accepted = 0;
  wire::Ack ack;
  ack.runs.resize(1);
  Bytes bytes;
  const auto run = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(engine_->outbox(publication).append(MessageType::kRaw, payload));
      if (i % 50 != 0) continue;
      engine_->wake(publication);
      engine_->flush(now_);
      while (const auto offer = engine_->sends().offer(engine_->source())) {
        std::uint64_t size = 0;
        for (const BytesView span : offer->bytes()) size += span.size();
        engine_->sends().taken(offer->stream, size, offer->fin);
        engine_->acked(offer->stream, size, std::chrono::milliseconds(1), now_);
      }
      now_ += std::chrono::milliseconds(1);
      const std::uint64_t sent = engine_->outbox(publication).sent().value();
      ack.runs[0] = {publication, Sequence(accepted), sent - accepted, Offset(accepted), false};
      accepted = sent;
      bytes.clear();
      wire::encode(ack, bytes);
      engine_->handle_control(bytes, session::Fin::kNo, now_);
      while (engine_->poll(now_)) continue;
    }
  };
  run(100'000);

  const std::size_t before = allocation_count;
  run(100'000);

  EXPECT_EQ(allocation_count - before, 0U);
  EXPECT_GT(accepted, 199'000U);
  EXPECT_TRUE(engine_->connected());
  EXPECT_EQ(stream.value(), 1U);
}

TEST_F(AllocationTest, IsNotNeededToDeliverMessages) {
  const SubscriptionId subscription =
      engine_->subscribe(ChannelPattern::exactly(ChannelName::of(1)), StartPosition::live());
  connect();
  const session::RemoteStream stream(3);
  const auto feed = [&](BytesView bytes) {
    engine_->handle_stream(stream, bytes, session::Fin::kNo, now_);
    std::uint64_t count = 0;
    while (const auto output = engine_->poll(now_)) {
      if (const auto* delivered = std::get_if<Delivered>(&*output)) count += delivered->count;
    }
    return count;
  };
  feed(joined({frame(wire::Deliver{subscription}),
               frame(wire::Alias{ChannelAlias(0), ChannelEpoch(1), Offset(0), ChannelName::of(1), {}}),
               frame(wire::Producer{ProducerAlias(0), {}, "bob"})}));
  Bytes frames;
  for (int i = 0; i < 20; ++i) frames = joined({frames, session::test::message("hello there")});
  Bytes bytes;
  std::uint64_t delivered = 0;
  std::uint64_t next = 0;
  const auto run = [&](int count) {
    for (int i = 0; i < count; ++i) {
      bytes.clear();
      wire::encode(wire::Run{ChannelAlias(0), ProducerAlias(0), next, frames.size(), 1}, bytes);
      bytes.insert(bytes.end(), frames.begin(), frames.end());
      next += 20;
      const std::size_t cut = static_cast<std::size_t>(i) % bytes.size();  // frames span packets
      delivered += feed(BytesView(bytes).first(cut));
      delivered += feed(BytesView(bytes).subspan(cut));
      now_ += std::chrono::milliseconds(1);
      engine_->flush(now_);
      engine_->credits().clear();
      auto& sends = engine_->sends();
      while (const auto offer = sends.offer(engine_->source())) {
        std::uint64_t size = 0;
        for (const BytesView span : offer->bytes()) size += span.size();
        sends.taken(offer->stream, size, offer->fin);
        sends.acked(offer->stream, size);
      }
    }
  };
  run(30'000);  // until the scratch went through its segments

  const std::size_t before = allocation_count;
  run(30'000);

  EXPECT_EQ(allocation_count - before, 0U);
  EXPECT_EQ(delivered, 1'200'000U);
}

TEST_F(AllocationTest, IsNotNeededForDatagramsEitherWay) {
  const PublicationId publication =
      engine_->publish(ChannelName::of(1), {.mode = DeliveryMode::kDatagram});
  const SubscriptionId subscription =
      engine_->subscribe(ChannelPattern::exactly(ChannelName::of(1)), StartPosition::live());
  connect();
  const Bytes introduction =
      joined({frame(wire::Deliver{subscription}),
              frame(wire::Alias{ChannelAlias(0), ChannelEpoch(1), Offset(10), ChannelName::of(1),
                                DeliveryMode::kDatagram}),
              frame(wire::Producer{ProducerAlias(0), {}, "bob"})});
  engine_->handle_stream(session::RemoteStream(3), introduction, session::Fin::kNo, now_);
  drain();
  const Bytes payload(60);
  wire::DatagramHeader header;
  Bytes bytes;
  std::uint64_t next = 10;
  std::uint64_t delivered = 0;
  std::uint64_t handed = 0;
  const auto run = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(engine_->outbox(publication).append(MessageType::kRaw, payload));
      engine_->flush(now_);
      while (const auto offer = engine_->sends().offer(engine_->source())) {
        std::uint64_t size = 0;
        for (const BytesView span : offer->bytes()) size += span.size();
        if (offer->datagram) {
          engine_->source().datagram_taken(offer->stream);
          engine_->sends().datagram_taken(offer->stream, size);
        } else {
          engine_->sends().taken(offer->stream, size, offer->fin);
          engine_->acked(offer->stream, size, std::chrono::milliseconds(1), now_);
        }
      }
      const std::size_t size = wire::encode_header(
          wire::DeliverDatagram{subscription, ChannelAlias(0), ProducerAlias(0), Offset(next), 0, {}},
          header);
      bytes.assign(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size));
      bytes.insert(bytes.end(), {std::byte{0}, std::byte{1}, std::byte{'x'}});
      ++next;
      engine_->handle_datagram(bytes, now_);
      while (const auto output = engine_->poll(now_)) {
        if (const auto* one = std::get_if<Delivered>(&*output)) delivered += one->count;
        if (const auto* fate = std::get_if<Settled>(&*output)) handed += fate->to - fate->from;
      }
      now_ += std::chrono::milliseconds(1);
    }
  };
  run(50'000);

  const std::size_t before = allocation_count;
  run(50'000);

  EXPECT_EQ(allocation_count - before, 0U);
  EXPECT_EQ(delivered, 100'000U);
  EXPECT_EQ(handed, 100'000U);
}

}  // namespace
}  // namespace orzatty::client
