#include "net/send_batch.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "net/loopback_for_test.h"

namespace orzatty::net {
namespace {

class SendBatchToAServer : public ::testing::TestWithParam<const char*> {
 protected:
  UdpSocket server_ = bound_to(GetParam());
  UdpSocket client_ = connected_to(server_.local_address());
  SendBatch batch_;

  // Sends packets of these sizes and expects each to arrive whole, alone and in its place.
  void expect_arrival_of(const std::vector<std::size_t>& sizes) {
    std::vector<std::string> sent;
    for (const std::size_t size : sizes) {
      sent.push_back(numbered(sent.size(), size));
      ASSERT_TRUE(push_text(batch_, sent.back(), server_.local_address()));
    }
    ASSERT_EQ(batch_.flush(client_), SendStatus::kSent);
    EXPECT_EQ(texts_of(receive_packets(server_, sent.size())), sent);
    EXPECT_TRUE(batch_.empty());
  }
};

TEST_P(SendBatchToAServer, MakesOneSendOfFortyEqualPacketsWhichArriveAsForty) {
  std::vector<std::string> sent;
  for (std::size_t i = 0; i < 40; ++i) {
    sent.push_back(numbered(i, 1452));
    push_text(batch_, sent.back(), server_.local_address());
  }
  ASSERT_EQ(batch_.group_count(), 1U);

  ASSERT_EQ(batch_.flush(client_), SendStatus::kSent);

  EXPECT_EQ(texts_of(receive_packets(server_, 40)), sent);
}

TEST_P(SendBatchToAServer, KeepsTheBoundariesOfUnequalPackets) {
  expect_arrival_of({100, 100, 40, 100, 200, 200, 199, 1, 1, 2, 1452, 1452, 30, 30});
}

TEST_P(SendBatchToAServer, SplitsAtSixtyFourPackets) {
  for (const std::size_t count : {63U, 64U, 65U, 129U}) {
    expect_arrival_of(std::vector<std::size_t>(count, 64));
  }
}

TEST_P(SendBatchToAServer, SplitsAtTheLargestSendOfTheKernel) {
  expect_arrival_of({32'500, 32'500});
  expect_arrival_of({32'500, 32'500, 1});
  expect_arrival_of({32'501, 32'500});
  expect_arrival_of({65'000});
}

TEST_P(SendBatchToAServer, SendsMoreGroupsThanOneSystemCallTakes) {
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < 200; ++i) sizes.push_back(10 + i);
  expect_arrival_of(sizes);
}

INSTANTIATE_TEST_SUITE_P(Loopback, SendBatchToAServer, ::testing::Values("127.0.0.1:0", "[::1]:0"));

TEST(SendBatch, SendsToTwoRemotesInTheOrderOfEach) {
  UdpSocket alice = bound_to("127.0.0.1:0");
  UdpSocket bob = bound_to("127.0.0.1:0");
  UdpSocket server = bound_to("127.0.0.1:0");
  SendBatch batch;
  std::vector<std::string> to_alice;
  std::vector<std::string> to_bob;
  for (std::size_t i = 0; i < 30; ++i) {
    const bool is_for_alice = i % 10 < 5;
    auto& sent = is_for_alice ? to_alice : to_bob;
    sent.push_back(numbered(i, 300));
    push_text(batch, sent.back(), is_for_alice ? alice.local_address() : bob.local_address());
  }
  EXPECT_EQ(batch.group_count(), 6U);

  ASSERT_EQ(batch.flush(server), SendStatus::kSent);

  EXPECT_EQ(texts_of(receive_packets(alice, to_alice.size())), to_alice);
  EXPECT_EQ(texts_of(receive_packets(bob, to_bob.size())), to_bob);
}

TEST(SendBatch, DoesNotMergePacketsOfDifferentEcnOrLocalAddress) {
  SendBatch batch;
  const auto remote = address("127.0.0.1:9");

  push_text(batch, "aa", remote, 0, address("127.0.0.1:1"));
  push_text(batch, "bb", remote, 2, address("127.0.0.1:1"));
  push_text(batch, "cc", remote, 2, address("127.0.0.2:1"));
  push_text(batch, "dd", remote, 2, address("127.0.0.2:1"));

  EXPECT_EQ(batch.group_count(), 3U);
}

TEST(SendBatch, GivesNoSpaceWhenTheBufferIsFull) {
  SendBatch batch;
  const auto remote = address("127.0.0.1:9");
  std::size_t count = 0;

  while (push_text(batch, numbered(count, 1024), remote)) ++count;

  EXPECT_EQ(count, SendBatch::kBufferSize / 1024);
  EXPECT_TRUE(batch.space(1).empty());
}

TEST(SendBatch, GivesNoSpaceWhenTheGroupsAreFull) {
  SendBatch batch;
  const std::array remotes = {address("127.0.0.1:9"), address("127.0.0.1:10")};
  std::size_t count = 0;

  while (push_text(batch, "x", remotes[count % 2])) ++count;

  EXPECT_EQ(count, SendBatch::kGroupCountMax);
}

TEST(SendBatch, ForgetsSpaceThatWasNotUsed) {
  UdpSocket server = bound_to("127.0.0.1:0");
  UdpSocket client = connected_to(server.local_address());
  SendBatch batch;

  EXPECT_EQ(batch.space(1452).size(), 1452U);
  EXPECT_EQ(batch.flush(client), SendStatus::kSent);

  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.bytes(), 0U);
}

// A connected pair whose receiving end has little room: the loopback of UDP never blocks a sender.
struct NarrowPair {
  UdpSocket near;
  UdpSocket far;

  static NarrowPair open() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const int size = 8 * 1024;
    EXPECT_EQ(::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
    return {UdpSocket::adopt(FileDescriptor(ends[0])), UdpSocket::adopt(FileDescriptor(ends[1]))};
  }
};

TEST(SendBatch, KeepsWhatABlockedSocketDoesNotTakeAndSendsItLater) {
  NarrowPair pair = NarrowPair::open();
  SendBatch batch;
  std::vector<std::string> sent;
  for (std::size_t i = 0; i < 150; ++i) {
    sent.push_back(numbered(i, 1000 + i / 50));
    ASSERT_TRUE(push_text(batch, sent.back(), {}));
  }
  const std::size_t all = batch.bytes();

  EXPECT_EQ(batch.flush(pair.near), SendStatus::kBlocked);
  EXPECT_LT(batch.bytes(), all);
  EXPECT_EQ(batch.flush(pair.near), SendStatus::kBlocked);
  // More may be added behind what waits.
  sent.push_back("the last");
  ASSERT_TRUE(push_text(batch, sent.back(), {}));

  std::vector<Packet> arrived;
  ReceiveBatch receive;
  SendStatus status = SendStatus::kBlocked;
  for (int turn = 0; turn < 1'000 && arrived.size() < sent.size(); ++turn) {
    for (const Received& received : receive.receive(pair.far, 3)) cut(received, arrived);
    status = batch.flush(pair.near);
  }
  EXPECT_EQ(status, SendStatus::kSent);
  EXPECT_EQ(texts_of(arrived), sent);
}

TEST(SendBatch, TellsThatABlockedSocketIsWritableAgain) {
  NarrowPair pair = NarrowPair::open();
  SendBatch batch;
  while (batch.flush(pair.near) == SendStatus::kSent) {
    ASSERT_TRUE(push_text(batch, numbered(0, 1000), {}));
  }
  auto poller = Poller::open();
  ASSERT_TRUE(poller && poller->add(pair.near.fd(), 7, Interest::kReadWrite));
  EXPECT_TRUE(poller->wait(now()).empty());

  ReceiveBatch receive;
  while (!receive.receive(pair.far, 16).empty()) {
  }

  const auto ready = poller->wait(now() + std::chrono::seconds(5));
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_TRUE(ready[0].writable);
  EXPECT_EQ(batch.flush(pair.near), SendStatus::kSent);
}

TEST(SendBatch, TellsThatNobodyListensAndStillSendsWhatWaits) {
  UdpSocket server = bound_to("127.0.0.1:0");
  const base::Address remote = server.local_address();
  UdpSocket client = connected_to(remote);
  {
    const UdpSocket closed = std::move(server);
  }
  SendBatch batch;
  push_text(batch, "first", remote);
  ASSERT_EQ(batch.flush(client), SendStatus::kSent);
  ASSERT_TRUE(becomes_readable(client));  // The notice is there, and nobody has read it.
  auto successor = UdpSocket::bind(remote, {});
  ASSERT_TRUE(successor);

  push_text(batch, "second", remote);
  EXPECT_EQ(batch.flush(client), SendStatus::kUnreachable);

  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(texts_of(receive_packets(*successor, 1)), std::vector<std::string>{"second"});
}

TEST(SendBatch, LosesOnlyThePacketThatHasNoRoute) {
  UdpSocket server = bound_to("127.0.0.1:0");
  UdpSocket client = bound_to("127.0.0.1:0");
  SendBatch batch;

  push_text(batch, "before", server.local_address());
  push_text(batch, "lost", address("192.0.2.1:9"));  // Not from a loopback address.
  push_text(batch, "after", server.local_address());
  EXPECT_EQ(batch.flush(client), SendStatus::kSent);

  EXPECT_EQ(texts_of(receive_packets(server, 2)), (std::vector<std::string>{"before", "after"}));
}

// In a network namespace of its own, whose loopback carries 1,400 bytes. 77: not allowed here.
int send_across_a_narrow_device() {
  if (::unshare(CLONE_NEWNET) != 0) return 77;
  const FileDescriptor control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_mtu = 1400;
  if (::ioctl(control.number(), SIOCSIFMTU, &request) != 0) return 77;
  request.ifr_flags = IFF_UP;
  if (::ioctl(control.number(), SIOCSIFFLAGS, &request) != 0) return 77;

  UdpSocket server = bound_to("127.0.0.1:0");
  UdpSocket client = connected_to(server.local_address());
  SendBatch batch;
  const auto remote = server.local_address();
  for (std::size_t i = 0; i < 10; ++i) push_text(batch, numbered(i, 1452), remote);
  push_text(batch, numbered(10, 1300), remote);  // Fits, and was merged with those that do not.
  for (std::size_t i = 11; i < 31; ++i) push_text(batch, numbered(i, 1350), remote);
  if (batch.flush(client) != SendStatus::kSent || !client.has_gso()) return 1;

  const auto packets = receive_packets(server, 21);
  if (packets.size() != 21 || packets[0].text != numbered(10, 1300)) return 2;
  for (std::size_t i = 11; i < 31; ++i) {
    if (packets[i - 10].text != numbered(i, 1350)) return 3;
  }
  return 0;
}

TEST(SendBatch, LosesOnlyThePacketsThatAreTooLargeForTheDevice) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(send_across_a_narrow_device());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);

  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no network namespaces for this user";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace orzatty::net
