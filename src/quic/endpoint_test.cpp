// What the server's front door does with datagrams of all kinds.
#include "quic/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstring>

#include "quic/connection_ids.h"
#include "quic/reply_budget.h"
#include "quic/two_ends.h"

namespace orzatty::quic::test {
namespace {

constexpr std::size_t kInitialSizeMin = 1200;

// A client's first packet, and the client.
struct Stranger {
  explicit Stranger(std::uint64_t seed = 1, const base::Address& from = kClientAddress)
      : address(from),
        connection(Connection::connect({}, trusting_anyone(), from, kServerAddress, "localhost",
                                       seed, Instant(1s))),
        end(connection.get()) {}

  Bytes packet(Instant now) {
    Bytes out(1500);
    const Written written = connection->write(out, now);
    EXPECT_EQ(written.status, WriteStatus::kPacket);
    out.resize(written.packet.size);
    return out;
  }
  void receive(BytesView bytes, Instant now) {
    connection->handle_datagram({address, kServerAddress, bytes}, now, end);
    end.poll();
  }

  base::Address address;
  std::unique_ptr<Connection> connection;
  End end;
};

// An Endpoint at whose door one knocks with single datagrams.
class Door : public ::testing::Test {
 protected:
  explicit Door(const EndpointConfig& config = {})
      : endpoint(config, server_credentials(self_signed()), 1, now) {}

  Routed knock(BytesView bytes, const base::Address& from = kClientAddress) {
    return endpoint.route({kServerAddress, from, bytes}, scratch, now);
  }
  BytesView reply(const Routed& routed) {
    const auto* found = std::get_if<Reply>(&routed);
    return found == nullptr ? BytesView{} : BytesView(scratch).first(found->size);
  }

  Instant now{1s};
  std::array<std::byte, 1500> scratch{};
  Endpoint endpoint;
};

bool ignored(const Routed& routed) { return std::holds_alternative<Ignored>(routed); }
bool accepted(const Routed& routed) { return std::holds_alternative<Accepted>(routed); }

TEST_F(Door, DatagramsOfUpToTwentyBytesAreDroppedWhateverTheyHold) {
  for (std::size_t size = 0; size <= 20; ++size) {
    for (const std::byte fill :
         {std::byte{0x00}, std::byte{0x40}, std::byte{0xc0}, std::byte{0xff}}) {
      EXPECT_TRUE(ignored(knock(Bytes(size, fill)))) << size;
    }
  }
  EXPECT_EQ(endpoint.size(), 0U);
  EXPECT_EQ(endpoint.counters().ignored, 21U * 4U);
}

TEST_F(Door, AMillionRandomDatagramsLeaveNothingBehind) {
  base::Prng random(7);
  Bytes bytes(1500);
  const auto memory_before = mallinfo2().uordblks;

  for (int i = 0; i < 1'000'000; ++i) {
    for (std::size_t at = 0; at < 40; at += 8) {
      const std::uint64_t word = random.next();
      std::memcpy(bytes.data() + at, &word, sizeof(word));
    }
    if (i % 2 == 0) {  // as a version 1 packet, so that it gets further
      bytes[0] |= std::byte{0xc0};
      const std::array<std::byte, 5> rest = {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1},
                                             std::byte{8}};
      std::copy(rest.begin(), rest.end(), bytes.begin() + 1);
    }
    const std::size_t size = random.next() % 1473;
    const auto routed = knock(BytesView(bytes).first(size));
    ASSERT_LE(reply(routed).size(), size);
    if (const auto* opened = std::get_if<Accepted>(&routed)) {
      End end(endpoint.find(opened->key));
      end.connection().handle_datagram(
          {kServerAddress, kClientAddress, BytesView(bytes).first(size)}, now, end);
      ASSERT_TRUE(end.connection().closed());
      endpoint.remove(opened->key);
    }
  }

  EXPECT_EQ(endpoint.size(), 0U);
  EXPECT_LT(mallinfo2().uordblks, memory_before + 1024 * 1024);
}

TEST_F(Door, AnUnknownVersionOfFullSizeIsAnsweredByVersionNegotiationAndAShorterOneNot) {
  Bytes packet = Stranger().packet(now);
  ASSERT_GE(packet.size(), kInitialSizeMin);
  const std::array<std::byte, 4> version = {std::byte{0x0b}, std::byte{0x0b}, std::byte{0},
                                            std::byte{0}};
  std::copy(version.begin(), version.end(), packet.begin() + 1);

  EXPECT_TRUE(ignored(knock(BytesView(packet).first(kInitialSizeMin - 1))));
  const BytesView answer = reply(knock(BytesView(packet).first(kInitialSizeMin)));

  ASSERT_GE(answer.size(), 11U);
  EXPECT_LT(answer.size(), 100U);
  for (std::size_t i = 1; i <= 4; ++i) EXPECT_EQ(answer[i], std::byte{0});  // version 0
  EXPECT_EQ(endpoint.size(), 0U);
}

TEST_F(Door, AClientWhoseVersionIsNegotiatedAwayIsTold) {
  Stranger stranger;
  Bytes packet = stranger.packet(now);
  packet[1] = std::byte{0x0b};

  stranger.receive(reply(knock(packet)), now);

  // The answer names version 1, which is what the client had sent: RFC 9000 has it ignored.
  EXPECT_FALSE(stranger.end.has<Closed>());
}

TEST_F(Door, ARetransmittedFirstPacketReachesTheConnectionThatTheFirstOneOpened) {
  const Bytes packet = Stranger().packet(now);

  const Routed first = knock(packet);
  const Routed second = knock(packet);

  ASSERT_TRUE(accepted(first));
  ASSERT_TRUE(std::holds_alternative<Known>(second));
  EXPECT_EQ(std::get<Known>(second).key, std::get<Accepted>(first).key);
  EXPECT_EQ(endpoint.size(), 1U);
}

TEST_F(Door, ARemovedConnectionIsNotFoundAndItsKeyNeverFindsAnother) {
  const auto first = std::get<Accepted>(knock(Stranger(1).packet(now))).key;
  endpoint.remove(first);
  const auto second = std::get<Accepted>(knock(Stranger(2).packet(now))).key;

  EXPECT_EQ(endpoint.find(first), nullptr);
  EXPECT_NE(endpoint.find(second), nullptr);
  EXPECT_EQ(first.slot, second.slot);
  EXPECT_NE(first.generation, second.generation);
  endpoint.remove(first);
  EXPECT_EQ(endpoint.size(), 1U);
  EXPECT_EQ(endpoint.find({77, 0}), nullptr);
}

TEST_F(Door, AShortInitialIsIgnored) {
  const Bytes packet = Stranger().packet(now);

  EXPECT_TRUE(ignored(knock(BytesView(packet).first(kInitialSizeMin - 1))));
  EXPECT_EQ(endpoint.size(), 0U);
}

TEST_F(Door, AnUnknownShortHeaderIsAnsweredByAShorterStatelessReset) {
  for (std::size_t size = 21; size <= 100; ++size) {
    const Bytes packet(size, std::byte{0x40});
    const BytesView answer = reply(knock(packet));
    if (size == 21) {
      EXPECT_TRUE(answer.empty());  // a reset cannot be smaller than that
    } else {
      EXPECT_GE(answer.size(), 21U);
      EXPECT_LT(answer.size(), size);
      EXPECT_EQ(answer[0] & std::byte{0xc0}, std::byte{0x40});
    }
  }
}

TEST_F(Door, RepliesToStrangersAreLimitedPerSecond) {
  const Bytes packet(100, std::byte{0x40});
  int replies = 0;
  for (int i = 0; i < 5000; ++i) replies += reply(knock(packet)).empty() ? 0 : 1;
  EXPECT_EQ(replies, ReplyBudget::kPerSecond);

  now += 100ms;
  for (int i = 0; i < 5000; ++i) replies += reply(knock(packet)).empty() ? 0 : 1;
  EXPECT_EQ(replies, ReplyBudget::kPerSecond * 11 / 10);
}

class FullDoor : public Door {
 protected:
  FullDoor() : Door({.connection_count_max = 3}) {}
};

TEST_F(FullDoor, OneConnectionTooManyIsRefusedAndTold) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    EXPECT_TRUE(accepted(knock(Stranger(seed).packet(now))));
  }
  Stranger late(4);

  late.receive(reply(knock(late.packet(now))), now);

  EXPECT_EQ(endpoint.size(), 3U);
  EXPECT_EQ(endpoint.counters().refused, 1U);
  EXPECT_EQ(late.end.closed().origin, CloseOrigin::kTransport);
  EXPECT_EQ(late.end.closed().code, 2U);  // CONNECTION_REFUSED
}

class HalfOpenDoor : public Door {
 protected:
  HalfOpenDoor() : Door({.half_open_count_max = 2, .retry_above_half_open = 100}) {}
};

TEST_F(HalfOpenDoor, HandshakesThatAreNotFinishedCountUntilTheyAreGone) {
  const auto key = std::get<Accepted>(knock(Stranger(1).packet(now))).key;
  EXPECT_TRUE(accepted(knock(Stranger(2).packet(now))));
  EXPECT_FALSE(accepted(knock(Stranger(3).packet(now))));

  endpoint.remove(key);

  EXPECT_TRUE(accepted(knock(Stranger(4).packet(now))));
}

class RetryDoor : public Door {
 protected:
  RetryDoor() : Door({.retry_above_half_open = 0}) {}

  // The packet with which a client answers a Retry.
  Bytes answer_to_retry(Stranger& stranger) {
    stranger.receive(reply(knock(stranger.packet(now))), now);
    return stranger.packet(now);
  }
};

TEST_F(RetryDoor, AStrangerProvesItsAddressBeforeAnythingIsKept) {
  Stranger stranger;
  const Bytes first = stranger.packet(now);

  const BytesView retry = reply(knock(first));
  EXPECT_FALSE(retry.empty());
  EXPECT_LT(retry.size(), 300U);
  EXPECT_EQ(endpoint.size(), 0U);

  stranger.receive(retry, now);
  EXPECT_TRUE(accepted(knock(stranger.packet(now))));
}

TEST_F(RetryDoor, RetriesAreNotLimitedSoThatAFloodDoesNotLockOutHonestClients) {
  Stranger stranger;
  const Bytes packet = stranger.packet(now);
  for (int i = 0; i < 3000; ++i) ASSERT_FALSE(reply(knock(packet)).empty());
}

TEST_F(RetryDoor, ATokenOfAnotherAddressIsRefused) {
  Stranger stranger;
  const Bytes answer = answer_to_retry(stranger);

  stranger.receive(reply(knock(answer, *base::Address::parse("203.0.113.9:50000"))), now);

  EXPECT_EQ(endpoint.size(), 0U);
  EXPECT_EQ(stranger.end.closed().code, 0x0bU);  // INVALID_TOKEN
}

TEST_F(RetryDoor, ATokenIsGoodForTenSecondsAndNotForLonger) {
  Stranger quick(1);
  Stranger slow(2);
  const Bytes quick_answer = answer_to_retry(quick);
  const Bytes slow_answer = answer_to_retry(slow);

  now += 9s;
  EXPECT_TRUE(accepted(knock(quick_answer)));
  now += 2s;
  EXPECT_FALSE(accepted(knock(slow_answer)));
}

TEST_F(RetryDoor, EveryBitFlipOfATokenIsRefused) {
  Stranger stranger;
  const Bytes answer = answer_to_retry(stranger);
  // Flags, version, two ids of 12 and 8 bytes with their sizes, and two bytes of token size.
  constexpr std::size_t kTokenBegin = 1 + 4 + 1 + ConnectionIds::kSize + 1 + 8 + 2;
  for (std::size_t at = kTokenBegin; at < kTokenBegin + 60; ++at) {
    Bytes forged = answer;
    forged[at] ^= std::byte{1};
    EXPECT_FALSE(accepted(knock(forged))) << at;
  }
  EXPECT_TRUE(accepted(knock(answer)));
}

// A server that asks everybody for a proof of address, and a client that was there before.
class Returning : public ::testing::Test {
 protected:
  Returning()
      : world_({.server = {.connection = {.bidi_stream_count = 1}, .retry_above_half_open = 0}},
               server_credentials(self_signed())) {}

  // What a first connection leaves a client with.
  Bytes token_of_first_connection() {
    End& first = world_.connect({}, trusting_anyone());
    EXPECT_TRUE(world_.run_until([&] { return first.has<AddressTokenReceived>(); }));
    return first.happened<AddressTokenReceived>().front().token;
  }
  // How many Retries it costs to come back.
  std::uint64_t retries_of_return(Bytes token, const base::Address& from) {
    const std::uint64_t before = world_.endpoint.counters().replies;
    End& client =
        world_.connect({.address_token = std::move(token)}, trusting_anyone(), "localhost", from);
    EXPECT_TRUE(world_.run_until([&] { return client.has<HandshakeCompleted>(); }));
    return world_.endpoint.counters().replies - before;
  }

  World world_;
};

// spec: TRANSPORT-6
TEST_F(Returning, AClientNeedsNoRetryWhereItWasHeardBefore) {
  const Bytes token = token_of_first_connection();
  EXPECT_EQ(retries_of_return({}, *base::Address::parse("198.51.100.7:50001")), 1U);
  EXPECT_EQ(retries_of_return(token, *base::Address::parse("198.51.100.7:50002")), 0U);
}

TEST_F(Returning, AClientFromAnotherAddressProvesIt) {
  EXPECT_EQ(
      retries_of_return(token_of_first_connection(), *base::Address::parse("203.0.113.9:50001")),
      1U);
}

TEST_F(Returning, ATokenIsGoodForAnHourAndNotForLonger) {
  const Bytes token = token_of_first_connection();
  world_.now += 59min;
  EXPECT_EQ(retries_of_return(token, *base::Address::parse("198.51.100.7:50001")), 0U);
  world_.now += 1min;
  EXPECT_EQ(retries_of_return(token, *base::Address::parse("198.51.100.7:50002")), 1U);
}

TEST_F(Returning, AForgedTokenCountsAsNoneAndRefusesNobody) {
  Bytes token = token_of_first_connection();
  for (std::size_t at = 0; at < token.size(); ++at) {
    Bytes forged = token;
    forged[at] ^= std::byte{1};
    const auto port = static_cast<std::uint16_t>(50001 + at);
    EXPECT_EQ(
        retries_of_return(forged, *base::Address::parse("198.51.100.7:" + std::to_string(port))),
        1U)
        << at;
  }
}

TEST_F(Returning, AClientThatMovedNeedsNoRetryAtItsNewAddressEither) {
  End& first = world_.connect({}, trusting_anyone());
  ASSERT_TRUE(world_.run_until([&] { return first.has<AddressTokenReceived>(); }));
  world_.rebind(kClientAddress, *base::Address::parse("203.0.113.9:50001"));
  first.send(first.open(StreamKind::kBidirectional), "here I am");

  ASSERT_TRUE(world_.run_until([&] { return first.happened<AddressTokenReceived>().size() == 2; }));

  const Bytes token = first.happened<AddressTokenReceived>().back().token;
  EXPECT_EQ(retries_of_return(token, *base::Address::parse("203.0.113.9:50002")), 0U);
}

TEST(Endpoint, AHandshakeWithRetryCompletes) {
  World world({.server = {.retry_above_half_open = 0}}, server_credentials(self_signed()));
  End& client = world.connect({}, trusting_anyone());

  ASSERT_TRUE(world.run_until([&] { return client.has<HandshakeCompleted>(); }));

  EXPECT_EQ(world.endpoint.counters().replies, 1U);
  EXPECT_EQ(world.endpoint.counters().accepted, 1U);
}

TEST(Endpoint, ManyClientsAtOnceAreKeptApart) {
  EndpointConfig server;
  server.connection.uni_stream_count = 1;
  server.retry_above_half_open = 10;
  World world({.server = server, .link = {.loss = 0.05}}, server_credentials(self_signed()));
  std::vector<End*> clients;
  for (int i = 0; i < 50; ++i) {
    const auto address = *base::Address::parse("198.51.100." + std::to_string(i + 1) + ":50000");
    clients.push_back(&world.connect({}, trusting_anyone(), "localhost", address));
  }
  ASSERT_TRUE(world.run_until([&] {
    return std::ranges::all_of(clients, [](End* end) { return end->has<HandshakeCompleted>(); });
  }));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    clients[i]->send(clients[i]->open(StreamKind::kUnidirectional), std::to_string(i), Fin::kYes);
  }

  world.run_for(10s);

  std::multiset<std::string> received;
  for (std::size_t i = 0; i < world.accepted_count(); ++i) {
    for (const auto& [stream, bytes] : world.server(i).received) received.insert(bytes);
  }
  EXPECT_EQ(received.size(), 50U);
  EXPECT_EQ(std::set<std::string>(received.begin(), received.end()).size(), 50U);
}

TEST(ConnectionIds, AreMadeOfTheShardAndOfWhatOnlySecretAndSeedTell) {
  EndpointConfig config;
  config.shard = 3;
  ConnectionIds ids(config, 1);
  ConnectionIds same(config, 1);
  ConnectionIds other(config, 2);

  const ConnectionId id = ids.make();

  EXPECT_EQ(id.size, ConnectionIds::kSize);
  EXPECT_EQ(id.bytes[0], 3);
  EXPECT_EQ(id, same.make());
  EXPECT_NE(id, other.make());
  EXPECT_NE(id, ids.make());
  EXPECT_EQ(ids.reset_token(id), other.reset_token(id));
}

TEST(ConnectionIds, AnIdBelongsToWhoHadItFirst) {
  ConnectionIds ids({}, 1);
  const ConnectionId id = ids.make();

  EXPECT_TRUE(ids.add(id, {1, 0}));
  EXPECT_FALSE(ids.add(id, {2, 0}));
  EXPECT_EQ(ids.find(id), (ConnectionKey{1, 0}));
  ids.remove(id);
  EXPECT_FALSE(ids.find(id).has_value());
}

TEST(ConnectionIds, EachIsFoundWhicheverWasFoundBeforeAndWhateverCameOrWent) {
  constexpr std::uint32_t kCount = 100;  // the table grows several times
  ConnectionIds ids({}, 1);
  std::vector<ConnectionId> made;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    made.push_back(ids.make());
    ASSERT_TRUE(ids.add(made.back(), {i, 0}));
    EXPECT_EQ(ids.find(made.front()), (ConnectionKey{0, 0}));
    EXPECT_EQ(ids.find(made.back()), (ConnectionKey{i, 0}));
  }
  ids.remove(made.back());
  EXPECT_FALSE(ids.find(made.back()).has_value());
  for (std::uint32_t i = 0; i + 1 < kCount; ++i) {
    EXPECT_EQ(ids.find(made[i]), (ConnectionKey{i, 0}));
    EXPECT_EQ(ids.find(made[i]), (ConnectionKey{i, 0}));
  }
}

}  // namespace
}  // namespace orzatty::quic::test
