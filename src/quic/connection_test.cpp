// Streams, credit, loss, closing and moving, on established connections.
#include "quic/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quic/closing.h"
#include "quic/two_ends.h"

namespace orzatty::quic::test {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;

std::string pattern(std::size_t size, std::size_t salt = 0) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>((i * 131 + i / 251 + salt) & 0xff);
  return text;
}

ConnectionConfig with_streams(std::uint64_t bidi, std::uint64_t uni) {
  return {.bidi_stream_count = bidi, .uni_stream_count = uni};
}

// One client and one server that know each other.
struct Pair {
  explicit Pair(const ConnectionConfig& server = with_streams(1, 100),
                const ConnectionConfig& client = with_streams(0, 100), const LinkConfig& link = {},
                std::uint64_t seed = 1)
      : world({.server = {.connection = server}, .link = link, .seed = seed},
              server_credentials(self_signed())),
        client_end(world.connect(client, trusting_anyone())) {
    EXPECT_TRUE(world.run_until([&] {
      return client_end.has<HandshakeCompleted>() && server_end().has<HandshakeCompleted>();
    }));
  }
  End& server_end() { return world.server(); }

  World world;
  End& client_end;
};

TEST(Connection, BytesGoThereAndBackOnOneStream) {
  Pair pair;

  const StreamId stream = pair.client_end.open(StreamKind::kBidirectional);
  pair.client_end.send(stream, "hello", Fin::kYes);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().finished.contains(stream); }));
  pair.server_end().send(stream, pair.server_end().received[stream] + " back", Fin::kYes);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client_end.has<StreamClosed>(); }));

  EXPECT_EQ(pair.client_end.received[stream], "hello back");
  EXPECT_THAT(pair.client_end.happened<StreamAcked>(), ElementsAre(Field(&StreamAcked::size, 5U)));
  EXPECT_EQ(pair.server_end().happened<StreamOpened>().at(0).stream, stream);
}

TEST(Connection, AHundredStreamsEachWayArriveWholeAndAreAcknowledgedInFull) {
  Pair pair;

  for (std::size_t i = 0; i < 100; ++i) {
    pair.client_end.send(pair.client_end.open(StreamKind::kUnidirectional), pattern(5000, i),
                         Fin::kYes);
    pair.server_end().send(pair.server_end().open(StreamKind::kUnidirectional), pattern(3000, i),
                           Fin::kYes);
  }
  ASSERT_TRUE(pair.world.run_until([&] {
    return pair.client_end.happened<StreamClosed>().size() == 200 &&
           pair.server_end().happened<StreamClosed>().size() == 200;
  }));

  std::size_t i = 0;
  for (const auto& [stream, bytes] : pair.server_end().received)
    EXPECT_EQ(bytes, pattern(5000, i++));
  std::uint64_t acked = 0;
  for (const StreamAcked& event : pair.client_end.happened<StreamAcked>()) acked += event.size;
  EXPECT_EQ(acked, 100U * 5000U);
}

TEST(Connection, SmallPiecesOfSeveralStreamsShareAPacket) {
  Pair pair;
  pair.world.run_for(1s);
  pair.client_end.packet_sizes.clear();

  for (std::size_t i = 0; i < 10; ++i) {
    pair.client_end.send(pair.client_end.open(StreamKind::kUnidirectional), pattern(50, i),
                         Fin::kYes);
  }
  pair.world.pump();

  EXPECT_EQ(pair.client_end.packet_sizes.size(), 1U);
}

TEST(Connection, TwentyPercentLossEachWayLosesNothing) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Pair pair(with_streams(1, 100), with_streams(0, 100), {.loss = 0.2}, seed);
    const StreamId stream = pair.client_end.open(StreamKind::kBidirectional);

    pair.client_end.send(stream, pattern(200'000, 1), Fin::kYes);
    ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().has<StreamOpened>(); }));
    pair.server_end().send(stream, pattern(200'000, 2), Fin::kYes);

    ASSERT_TRUE(pair.world.run_until(
        [&] {
          return pair.client_end.has<StreamClosed>() && pair.server_end().has<StreamClosed>();
        },
        3600s));
    EXPECT_EQ(pair.server_end().received[stream], pattern(200'000, 1)) << "seed " << seed;
    EXPECT_EQ(pair.client_end.received[stream], pattern(200'000, 2)) << "seed " << seed;
  }
}

TEST(Connection, ABurstHasNoBoundUntilThePathIsMeasuredAndThenIsWhatThePathTakesInAMillisecond) {
  const auto unheard = Connection::connect({}, trusting_anyone(), *base::Address::parse("192.0.2.7:1"),
                                           *base::Address::parse("192.0.2.1:1"), "localhost", 1,
                                           Instant(1s));
  EXPECT_EQ(unheard->burst_size_max(), std::numeric_limits<std::size_t>::max());

  Pair slow(with_streams(1, 100), with_streams(0, 100), {.delay = 100ms});
  EXPECT_EQ(slow.client_end.connection().burst_size_max(),
            2 * slow.client_end.connection().packet_size_max());

  Pair fast(with_streams(1, 100), with_streams(0, 100), {.delay = 50us});
  EXPECT_GT(fast.client_end.connection().burst_size_max(), 100'000U);
}

TEST(Connection, BbrDeliversEverythingWithLossToo) {
  ConnectionConfig config = with_streams(1, 100);
  config.congestion_control = CongestionControl::kBbr;
  Pair pair(config, config, {.delay = 100ms, .loss = 0.05});
  const StreamId stream = pair.client_end.open(StreamKind::kUnidirectional);

  pair.server_end().grant_automatically();
  pair.client_end.send(stream, pattern(5'000'000), Fin::kYes);

  ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().finished.contains(stream); }));
  EXPECT_EQ(pair.server_end().received[stream], pattern(5'000'000));
}

TEST(Connection, AStreamWithoutCreditWaitsAndIsWritableWhenThePeerGrantsMore) {
  ConnectionConfig server = with_streams(1, 1);
  server.stream_window = 1000;
  Pair pair(server);
  const StreamId stream = pair.client_end.open(StreamKind::kUnidirectional);

  pair.client_end.send(stream, pattern(1500), Fin::kYes);
  pair.world.run_for(1s);
  EXPECT_EQ(pair.server_end().received[stream].size(), 1000U);
  EXPECT_TRUE(pair.client_end.outgoing[stream].blocked);
  EXPECT_FALSE(pair.client_end.has<StreamWritable>());

  pair.server_end().connection().grant_stream_credit(stream, 500);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().finished.contains(stream); }));

  EXPECT_EQ(pair.server_end().received[stream], pattern(1500));
  EXPECT_EQ(pair.client_end.happened<StreamWritable>().size(), 1U);
}

TEST(Connection, StreamsThatShareUsedUpCreditAreAllWritableWhenItComes) {
  ConnectionConfig server = with_streams(1, 3);
  server.connection_window = 1000;
  Pair pair(server);
  std::vector<StreamId> streams;
  for (int i = 0; i < 3; ++i) streams.push_back(pair.client_end.open(StreamKind::kUnidirectional));

  for (const StreamId stream : streams) pair.client_end.send(stream, pattern(800), Fin::kYes);
  pair.world.run_for(1s);
  EXPECT_EQ(pair.server_end().finished.size(), 1U);

  pair.server_end().connection().grant_connection_credit(1400);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().finished.size() == 3; }));
  for (const StreamId stream : streams) EXPECT_EQ(pair.server_end().received[stream], pattern(800));
}

TEST(Connection, AStreamCanEndWithoutCredit) {
  ConnectionConfig server = with_streams(1, 2);
  server.connection_window = 1000;
  Pair pair(server);
  const StreamId full = pair.client_end.open(StreamKind::kUnidirectional);
  const StreamId empty = pair.client_end.open(StreamKind::kUnidirectional);

  pair.client_end.send(full, pattern(1000));
  pair.client_end.send(empty, "", Fin::kYes);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().finished.contains(empty); }));

  EXPECT_EQ(pair.server_end().received[full].size(), 1000U);
}

TEST(Connection, CreditIsNeverGivenUnasked) {
  ConnectionConfig server = with_streams(1, 1);
  server.stream_window = 50'000;
  server.connection_window = 50'000;
  Pair pair(server);
  const StreamId stream = pair.client_end.open(StreamKind::kUnidirectional);

  pair.client_end.send(stream, pattern(100'000));
  pair.world.run_for(10s);

  EXPECT_EQ(pair.server_end().received[stream].size(), 50'000U);
}

// spec: TRANSPORT-4
TEST(Connection, StreamsAreRefusedUntilTheyAreGranted) {
  Pair pair(with_streams(1, 0));
  Connection& client = pair.client_end.connection();

  EXPECT_FALSE(client.open_stream(StreamKind::kUnidirectional));
  EXPECT_TRUE(client.open_stream(StreamKind::kBidirectional));
  EXPECT_FALSE(client.open_stream(StreamKind::kBidirectional));

  pair.client_end.events.clear();
  pair.server_end().connection().grant_streams(StreamKind::kUnidirectional, 2);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client_end.has<StreamsGranted>(); }));

  EXPECT_TRUE(client.open_stream(StreamKind::kUnidirectional));
  EXPECT_TRUE(client.open_stream(StreamKind::kUnidirectional));
  EXPECT_FALSE(client.open_stream(StreamKind::kUnidirectional));
}

TEST(Connection, AResetStreamTellsThePeerTheCodeAndTakesNoMoreBytes) {
  Pair pair;
  const StreamId stream = pair.client_end.open(StreamKind::kUnidirectional);
  pair.client_end.send(stream, "never finished");
  pair.world.run_for(100ms);

  pair.client_end.connection().reset_stream(stream, 77);
  pair.client_end.send(stream, "too late");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().has<StreamReset>(); }));

  EXPECT_EQ(pair.server_end().happened<StreamReset>().at(0).code, 77U);
  EXPECT_TRUE(pair.client_end.outgoing[stream].gone);
  EXPECT_FALSE(pair.client_end.has<StreamStopped>());
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client_end.has<StreamClosed>(); }));
}

TEST(Connection, AStoppedStreamIsGoneWhenMoreIsOffered) {
  Pair pair;
  const StreamId stream = pair.client_end.open(StreamKind::kUnidirectional);
  pair.client_end.send(stream, "one");
  pair.world.run_for(100ms);

  pair.server_end().connection().stop_stream(stream, 5);
  pair.world.run_for(100ms);
  pair.client_end.send(stream, "two");
  pair.world.run_for(1s);

  EXPECT_TRUE(pair.client_end.outgoing[stream].gone);
  EXPECT_TRUE(pair.client_end.has<StreamClosed>());
  EXPECT_EQ(pair.server_end().received[stream], "one");
}

TEST(Connection, ACloseReachesThePeerWithItsCodeAndText) {
  Pair pair;

  pair.client_end.connection().close(0x43, "good bye");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().has<Closed>(); }));

  EXPECT_EQ(pair.server_end().closed().origin, CloseOrigin::kPeer);
  EXPECT_EQ(pair.server_end().closed().code, 0x43U);
  EXPECT_EQ(pair.server_end().closed().text, "good bye");
  EXPECT_EQ(pair.client_end.closed().origin, CloseOrigin::kLocal);
  ASSERT_TRUE(pair.world.run_until(
      [&] { return pair.client_end.connection().closed() && pair.world.endpoint.size() == 0; }));
  EXPECT_FALSE(pair.client_end.connection().next_timeout().has_value());
}

TEST(Connection, ALongCloseTextIsCutAtACharacter) {
  Pair pair;
  std::string text = "x";
  while (text.size() < 2000) text += "é";

  pair.client_end.connection().close(1, text);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().has<Closed>(); }));

  EXPECT_EQ(pair.server_end().closed().text, text.substr(0, 255));
  EXPECT_EQ(cut_text("aé", 2), "a");
  EXPECT_EQ(cut_text("aé", 3), "aé");
}

TEST(Connection, ALostCloseIsRepeatedForAPeerThatStillSends) {
  Pair pair;
  const StreamId stream = pair.server_end().open(StreamKind::kUnidirectional);
  pair.world.link.loss = 1;
  pair.client_end.connection().close(7, "lost at first");
  pair.world.pump();
  pair.world.link.loss = 0;

  pair.server_end().send(stream, "are you there?");
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().has<Closed>(); }));

  EXPECT_EQ(pair.server_end().closed().code, 7U);
}

TEST(Connection, NothingIsWrittenOrOpenedAfterAClose) {
  Pair pair;
  const StreamId stream = pair.client_end.open(StreamKind::kUnidirectional);
  std::array<std::byte, 1500> out{};
  const std::array<BytesView, 1> bytes = {bytes_of("late")};

  pair.client_end.connection().close(0, "");
  EXPECT_EQ(pair.client_end.connection().write(out, stream, bytes, Fin::kNo, pair.world.now).status,
            WriteStatus::kPacket);  // the close

  EXPECT_EQ(pair.client_end.connection().write(out, stream, bytes, Fin::kNo, pair.world.now).status,
            WriteStatus::kClosed);
  EXPECT_FALSE(pair.client_end.connection().open_stream(StreamKind::kUnidirectional));
}

TEST(Connection, SilenceLongerThanTheIdleTimeoutEndsBothSides) {
  Pair pair;

  pair.world.run_for(40s);

  EXPECT_EQ(pair.client_end.closed().origin, CloseOrigin::kIdle);
  EXPECT_EQ(pair.server_end().closed().origin, CloseOrigin::kIdle);
  EXPECT_EQ(pair.world.endpoint.size(), 0U);
}

TEST(Connection, PacketsGrowToTheFullSizeWithinAFewRoundTripsAndAreFilled) {
  Pair pair;
  pair.world.run_for(200ms);
  EXPECT_EQ(pair.client_end.connection().packet_size_max(), 1452U);
  EXPECT_EQ(pair.server_end().connection().packet_size_max(), 1452U);
  pair.client_end.packet_sizes.clear();
  const StreamId stream = pair.client_end.open(StreamKind::kUnidirectional);

  pair.client_end.send(stream, pattern(1'000'000), Fin::kYes);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().finished.contains(stream); }));

  const auto& sizes = pair.client_end.packet_sizes;
  EXPECT_LE(sizes.size(), 1'000'000U / 1400U);
  EXPECT_GE(std::count(sizes.begin(), sizes.end(), 1452U), 695);
}

TEST(Connection, ANarrowPathSettlesForSmallerPacketsAndLosesNothing) {
  Pair pair(with_streams(1, 100), with_streams(0, 100), {.packet_size_max = 1350});
  const StreamId stream = pair.client_end.open(StreamKind::kUnidirectional);

  pair.client_end.send(stream, pattern(1'000'000), Fin::kYes);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().finished.contains(stream); }));
  pair.world.run_for(5s);

  EXPECT_EQ(pair.server_end().received[stream], pattern(1'000'000));
  EXPECT_EQ(pair.client_end.connection().packet_size_max(), 1332U);
}

TEST(Connection, ANewBindingOfANatIsFollowedByTheServer) {
  Pair pair;
  const StreamId stream = pair.client_end.open(StreamKind::kBidirectional);
  pair.client_end.send(stream, "before");
  pair.world.run_for(500ms);
  const auto outside = *base::Address::parse("198.51.100.7:61234");

  pair.world.rebind(kClientAddress, outside);
  pair.client_end.send(stream, " and after");
  pair.world.run_for(1s);
  pair.server_end().send(stream, "found you");
  pair.world.run_for(1s);

  EXPECT_EQ(pair.server_end().received[stream], "before and after");
  EXPECT_EQ(pair.client_end.received[stream], "found you");
  ASSERT_TRUE(pair.server_end().has<PathChanged>());
  EXPECT_EQ(pair.server_end().happened<PathChanged>().at(0).remote, outside);
}

// spec: TRANSPORT-5
TEST(Connection, AClientThatMigratesGoesOnAtItsNewAddress) {
  Pair pair;
  const StreamId stream = pair.client_end.open(StreamKind::kBidirectional);
  pair.client_end.send(stream, "before");
  pair.world.run_for(500ms);
  const auto moved = *base::Address::parse("198.51.100.7:50001");

  pair.client_end.connection().migrate(moved, pair.world.now);
  pair.client_end.send(stream, " and after");
  pair.world.run_for(1s);
  pair.server_end().send(stream, "found you");
  pair.world.run_for(1s);

  EXPECT_EQ(pair.server_end().received[stream], "before and after");
  EXPECT_EQ(pair.client_end.received[stream], "found you");
  ASSERT_TRUE(pair.server_end().has<PathChanged>());
  EXPECT_EQ(pair.server_end().happened<PathChanged>().at(0).remote, moved);
  ASSERT_TRUE(pair.client_end.has<PathChanged>());
  EXPECT_EQ(pair.client_end.happened<PathChanged>().at(0).local, moved);
}

TEST(Connection, AServerThatForgotAConnectionResetsIt) {
  Pair pair;
  pair.world.run_for(1s);
  const StreamId stream = pair.client_end.open(StreamKind::kUnidirectional);

  pair.world.forget_server_connections();
  pair.client_end.send(stream, pattern(500));
  ASSERT_TRUE(pair.world.run_until([&] { return pair.client_end.has<Closed>(); }));

  EXPECT_EQ(pair.client_end.closed().origin, CloseOrigin::kStatelessReset);
  EXPECT_TRUE(pair.client_end.connection().closed());
}

TEST(Connection, CorruptAndShortDatagramsChangeNothing) {
  Pair pair;
  const Bytes noise(1200, std::byte{0x5a});
  for (std::size_t size = 0; size <= noise.size(); ++size) {
    pair.client_end.connection().handle_datagram(
        {kClientAddress, kServerAddress, BytesView(noise).first(size)}, pair.world.now,
        pair.client_end);
  }

  const StreamId stream = pair.client_end.open(StreamKind::kUnidirectional);
  pair.client_end.send(stream, "still here", Fin::kYes);
  ASSERT_TRUE(pair.world.run_until([&] { return pair.server_end().finished.contains(stream); }));
  EXPECT_EQ(pair.server_end().received[stream], "still here");
}

TEST(Connection, ATimeBeforeTheLastOneIsTakenForTheLastOne) {
  Pair pair;

  pair.client_end.connection().handle_timeout(pair.world.now - 500ms);
  pair.world.run_for(1s);

  EXPECT_FALSE(pair.client_end.has<Closed>());
}

TEST(Connection, FiguresOfTheTransportArePlausible) {
  Pair pair;
  pair.world.run_for(1s);

  EXPECT_GE(pair.client_end.connection().smoothed_rtt(), 20ms);
  EXPECT_LE(pair.client_end.connection().smoothed_rtt(), 30ms);
  EXPECT_GE(pair.client_end.connection().congestion_window(), 10'000U);
  EXPECT_EQ(pair.client_end.connection().bytes_in_flight(), 0U);
}

}  // namespace
}  // namespace orzatty::quic::test
