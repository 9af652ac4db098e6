// What a session costs in memory, counted.

#include <gtest/gtest.h>

#include "session/counted_allocations_for_test.h"
#include "session/session_for_test.h"

namespace orzatty::session {
namespace {

using session::test::allocated_bytes;
using session::test::allocation_count;

TEST(Allocation, IsNotNeededToSendMessages) {
  Scratch scratch(1 << 20);
  Outbox outbox(2 << 20);
  SendQueue queue;
  const Bytes payload(64);
  const auto send = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(outbox.append(MessageType::kRaw, payload));
      if (i % 100 != 0) continue;
      outbox.fill(queue, scratch, 1);
      const std::uint64_t size = queue.unsent();
      queue.taken(size);
      queue.acked(size);
      outbox.acknowledged(outbox.sent());
    }
  };
  send(100'000);  // until memory met every position of a burst in its segments

  const std::size_t before = allocation_count;
  send(100'000);

  EXPECT_EQ(allocation_count - before, 0U);
}

TEST(Allocation, IsNotNeededToSendMessagesWithAttributes) {
  using std::chrono_literals::operator""ms;
  Scratch scratch(1 << 20);
  Outbox outbox(2 << 20);
  SendQueue queue;
  const Bytes payload(64);
  Instant now{};
  const auto send = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const MessageAttributes attributes{.time_to_live = 20ms, .key = bytes_of("a key")};
      ASSERT_TRUE(outbox.append(MessageType::kRaw, payload, attributes, now));
      if (i % 100 != 0) continue;
      if (i % 1000 == 0) outbox.skip(now);
      while (outbox.take_skipped()) continue;
      now += 1ms;
      while (outbox.has_unsent()) outbox.fill(queue, scratch, 1);
      const std::uint64_t size = queue.unsent();
      queue.taken(size);
      queue.acked(size);
      outbox.acknowledged(outbox.sent());
    }
  };
  send(100'000);

  const std::size_t before = allocation_count;
  send(100'000);

  EXPECT_EQ(allocation_count - before, 0U);
}

TEST(Allocation, IsNotNeededToSupersedeValues) {
  Scratch scratch(1 << 20);
  Outbox outbox(2 << 20, Sequence(0), DeliveryMode::kLatest);
  SendQueue queue;
  const Bytes payload(64);
  const std::array<std::string, 3> keys = {"a key", "another key that is a little longer", ""};
  std::uint64_t superseded = 0;
  const auto send = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const MessageAttributes attributes{.key = bytes_of(keys[i % keys.size()])};
      ASSERT_TRUE(outbox.append(MessageType::kRaw, payload, attributes, Instant()));
      if (i % 100 != 0) continue;
      while (outbox.has_unsent()) outbox.fill(queue, scratch, 1);
      while (const auto skipped = outbox.take_skipped()) superseded += skipped->to - skipped->from;
      const std::uint64_t size = queue.unsent();
      queue.taken(size);
      queue.acked(size);
      if (i % 1000 == 0) outbox.acknowledged(outbox.sent());
    }
  };
  send(100'000);

  const std::size_t before = allocation_count;
  send(100'000);

  EXPECT_EQ(allocation_count - before, 0U);
  EXPECT_GT(superseded, 190'000U);
}

TEST(Allocation, IsNotNeededToReceiveMessagesAndToAcknowledgeThem) {
  const Limits limits;
  Instant now{};
  ServerSession server(limits, 1, now);
  ClientSession client(limits, test::hello(), 2, now);
  Outbox outbox(2 << 20);
  test::OutboxSource source(client.core().scratch());
  test::NoSource none;
  test::Pipe up;
  test::Pipe down;
  const Bytes payload(64);
  std::uint64_t received = 0;
  Sequence acknowledged;
  const auto take = [&](RemoteStream stream, BytesView bytes, Fin fin) {
    if (stream.value() == 0) server.handle_control(bytes, fin, now);
    if (stream.value() != 0) server.handle_stream(stream, bytes, fin, now);
    while (const auto output = server.poll()) {
      if (std::holds_alternative<HelloReceived>(*output))
        server.welcome(test::welcome(limits), now);
      const auto* messages = std::get_if<PublicationMessages>(&*output);
      if (messages == nullptr) continue;
      received += messages->count;
      server.core().consumed(messages->stream, messages->frames.size());
      server.accepted({messages->publication, messages->first, messages->count,
                       Offset(messages->first.value()), false},
                      messages->frames.size(), messages->nonce, now);
    }
  };
  const auto take_answers = [&](RemoteStream, BytesView bytes, Fin fin) {
    client.handle_control(bytes, fin, now);
    while (const auto output = client.poll(now)) {
      const auto* ack = std::get_if<AckReceived>(&*output);
      if (ack == nullptr) continue;
      acknowledged = ack->ack->runs.back().first + ack->ack->runs.back().count;
      outbox.acknowledged(acknowledged);
    }
  };
  client.core().sends().opened(kControlKey);
  server.core().sends().opened(kControlKey);
  const auto run = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(outbox.append(MessageType::kRaw, payload));
      if (i % 50 != 0) continue;
      now += std::chrono::milliseconds(1);
      client.flush(now);
      up.carry(client.core().sends(), source, take);
      server.flush(now);
      server.core().credits().clear();
      down.carry(server.core().sends(), none, take_answers);
      client.core().sends().wake(StreamKey(1));
    }
  };
  up.carry(client.core().sends(), source, take);
  down.carry(server.core().sends(), none, take_answers);
  source.carry(client.publish({.publication = PublicationId(1),
                               .producer = {},
                               .epoch = {},
                               .next = {},
                               .channel = ChannelName::of(1)}),
               outbox);
  run(100'000);

  const std::size_t before = allocation_count;
  run(100'000);

  EXPECT_EQ(allocation_count - before, 0U);
  EXPECT_GT(received, 199'000U);
  EXPECT_GT(acknowledged, Sequence(190'000));
}

// Ten thousand idle sessions are a goal of the whole server: 36 KiB each with QUIC and TLS.
TEST(Allocation, OfAnIdleSessionIsAFewKilobytes) {
  const Limits limits;
  const std::size_t before = allocated_bytes;
  const auto server = std::make_unique<ServerSession>(limits, 1, Instant{});
  const Bytes hello = test::frame(test::hello());
  server->handle_control(hello, Fin::kNo, Instant{});
  while (server->poll()) continue;
  server->welcome(test::welcome(limits), Instant{});

  EXPECT_LT(allocated_bytes - before, 6'000U);
}

}  // namespace
}  // namespace orzatty::session
