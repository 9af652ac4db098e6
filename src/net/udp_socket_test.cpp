#include "net/udp_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loopback_for_test.h"

namespace orzatty::net {
namespace {

using ::testing::HasSubstr;

class UdpSocketOnEachFamily : public ::testing::TestWithParam<const char*> {};

TEST_P(UdpSocketOnEachFamily, CarriesAPacketThereAndBack) {
  UdpSocket server = bound_to(GetParam());
  UdpSocket client = connected_to(server.local_address());
  SendBatch batch;

  push_text(batch, "ping", server.local_address());
  ASSERT_EQ(batch.flush(client), SendStatus::kSent);
  const auto arrived = receive_packets(server, 1);
  ASSERT_EQ(texts_of(arrived), std::vector<std::string>{"ping"});
  push_text(batch, "pong", arrived[0].remote, 0, arrived[0].local);
  ASSERT_EQ(batch.flush(server), SendStatus::kSent);
  const auto answered = receive_packets(client, 1);

  ASSERT_EQ(texts_of(answered), std::vector<std::string>{"pong"});
  EXPECT_EQ(arrived[0].remote, client.local_address());
  EXPECT_EQ(arrived[0].local, server.local_address());
  EXPECT_EQ(answered[0].remote, server.local_address());
  EXPECT_EQ(answered[0].local, client.local_address());
}

TEST_P(UdpSocketOnEachFamily, CarriesTheEcnMark) {
  UdpSocket server = bound_to(GetParam());
  UdpSocket client = connected_to(server.local_address());
  SendBatch batch;

  for (std::uint8_t ecn = 0; ecn < 4; ++ecn) {
    push_text(batch, numbered(ecn, 100), server.local_address(), ecn);
  }
  ASSERT_EQ(batch.flush(client), SendStatus::kSent);

  const auto packets = receive_packets(server, 4);
  ASSERT_EQ(packets.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(packets[i].ecn, i);
}

INSTANTIATE_TEST_SUITE_P(Loopback, UdpSocketOnEachFamily,
                         ::testing::Values("127.0.0.1:0", "[::1]:0"));

TEST(UdpSocket, OnTheWildcardAddressAnswersFromTheAddressThatWasAsked) {
  UdpSocket server = bound_to("0.0.0.0:0");
  base::Address asked = address("127.7.7.7:0");
  asked.port = server.local_address().port;
  UdpSocket client = connected_to(asked);
  SendBatch batch;
  push_text(batch, "ping", asked);
  ASSERT_EQ(batch.flush(client), SendStatus::kSent);

  const auto arrived = receive_packets(server, 1);
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(arrived[0].local, asked);
  push_text(batch, "pong", arrived[0].remote, 0, arrived[0].local);
  ASSERT_EQ(batch.flush(server), SendStatus::kSent);

  // The connected client drops answers from any other address.
  EXPECT_EQ(texts_of(receive_packets(client, 1)), std::vector<std::string>{"pong"});
}

TEST(UdpSocket, OnTheIpv6WildcardLeavesThePortFreeForIpv4) {
  UdpSocket ipv6 = bound_to("[::]:0");
  base::Address same_port = address("0.0.0.0:0");
  same_port.port = ipv6.local_address().port;

  EXPECT_TRUE(UdpSocket::bind(same_port, {}));

  UdpSocket client = connected_to([&] {
    base::Address loopback = address("[::1]:0");
    loopback.port = same_port.port;
    return loopback;
  }());
  SendBatch batch;
  push_text(batch, "ping", {});
  ASSERT_EQ(batch.flush(client), SendStatus::kSent);
  const auto arrived = receive_packets(ipv6, 1);
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(arrived[0].local.ip, address("[::1]:0").ip);
  EXPECT_EQ(arrived[0].local.port, same_port.port);
}

TEST(UdpSocket, SaysThatAnAddressIsInUseAndWhatToDo) {
  const UdpSocket first = bound_to("127.0.0.1:0");

  const auto second = UdpSocket::bind(first.local_address(), {});

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text,
            first.local_address().text() +
                " is in use: stop the other program or choose another --listen");
}

TEST(UdpSocket, SharesAPortWithItsOwnShardsButNotWithASecondDaemon) {
  auto first = UdpSocket::bind(address("127.0.0.1:0"), {.sharing = PortSharing::kFirstOfSeveral});
  ASSERT_TRUE(first);
  auto shard = UdpSocket::bind(first->local_address(), {.sharing = PortSharing::kFurther});
  ASSERT_TRUE(shard);

  const auto stranger =
      UdpSocket::bind(first->local_address(), {.sharing = PortSharing::kFirstOfSeveral});

  ASSERT_FALSE(stranger);
  EXPECT_THAT(stranger.error().text, HasSubstr("is in use"));
  // All of 64 remotes in one half by chance: once in 2^63 runs.
  SendBatch batch;
  for (int i = 0; i < 64; ++i) {
    UdpSocket client = connected_to(first->local_address());
    push_text(batch, "hello", first->local_address());
    ASSERT_EQ(batch.flush(client), SendStatus::kSent);
  }
  EXPECT_FALSE(receive_packets(*first, 1).empty());
  EXPECT_FALSE(receive_packets(*shard, 1).empty());
}

TEST(UdpSocket, SaysThatAnAddressIsOfAnotherMachine) {
  const auto socket = UdpSocket::bind(address("192.0.2.1:5000"), {});

  ASSERT_FALSE(socket);
  EXPECT_THAT(socket.error().text, HasSubstr("192.0.2.1:5000 is not an address of this machine"));
}

TEST(UdpSocket, SaysThatALowPortNeedsAPrivilege) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may bind every port";

  const auto socket = UdpSocket::bind(address("127.0.0.1:443"), {});

  if (socket) GTEST_SKIP() << "this machine lets everybody bind low ports";
  EXPECT_THAT(socket.error().text, HasSubstr("needs a privilege"));
}

TEST(UdpSocket, RefusesToTalkToPortZero) {
  const auto socket = UdpSocket::connect(address("127.0.0.1:0"), {});

  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().kind, ErrorKind::kArgument);
}

TEST(UdpSocket, TellsTheBuffersThatItGot) {
  const auto socket =
      UdpSocket::bind(address("127.0.0.1:0"), {.receive_buffer = 100'000, .send_buffer = 50'000});

  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->receive_buffer(), 100'000U);
  EXPECT_EQ(socket->send_buffer(), 50'000U);
}

}  // namespace
}  // namespace orzatty::net
