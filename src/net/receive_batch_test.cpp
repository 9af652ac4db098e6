#include "net/receive_batch.h"

#include <gtest/gtest.h>

#include "net/loopback_for_test.h"

namespace orzatty::net {
namespace {

TEST(ReceiveBatch, IsEmptyAtOnceWhenNothingIsThere) {
  UdpSocket socket = bound_to("127.0.0.1:0");
  ReceiveBatch batch;

  EXPECT_TRUE(batch.receive(socket, 1).empty());
  EXPECT_TRUE(batch.receive(socket, 16).empty());
  EXPECT_FALSE(batch.was_refused());
}

TEST(ReceiveBatch, TakesNoMoreThanItIsAskedFor) {
  UdpSocket server = bound_to("127.0.0.1:0");
  SendBatch send;
  for (std::size_t i = 0; i < 5; ++i) {
    // A socket each, so that GRO does not merge them.
    UdpSocket client = connected_to(server.local_address());
    push_text(send, numbered(i, 50), server.local_address());
    ASSERT_EQ(send.flush(client), SendStatus::kSent);
  }
  ASSERT_TRUE(becomes_readable(server));
  ReceiveBatch batch;

  EXPECT_LE(batch.receive(server, 1).size(), 1U);
  EXPECT_LE(batch.receive(server, 2).size(), 2U);
  EXPECT_EQ(receive_packets(server, 2).size(), 2U);
}

TEST(ReceiveBatch, ReceivesOneByOneWhatCameTogether) {
  UdpSocket server = bound_to("127.0.0.1:0");
  UdpSocket client = connected_to(server.local_address());
  SendBatch send;
  std::vector<std::string> sent;
  for (std::size_t i = 0; i < 20; ++i) {
    sent.push_back(numbered(i, 20 + i));  // Growing, so that each is a send of its own.
    push_text(send, sent.back(), server.local_address());
  }
  ASSERT_EQ(send.flush(client), SendStatus::kSent);

  EXPECT_EQ(texts_of(receive_packets(server, sent.size(), 1)), sent);
}

TEST(ReceiveBatch, IsReusedForSocketsOfBothFamilies) {
  UdpSocket ipv4 = bound_to("127.0.0.1:0");
  UdpSocket ipv6 = bound_to("[::1]:0");
  UdpSocket ipv4_client = connected_to(ipv4.local_address());
  UdpSocket ipv6_client = connected_to(ipv6.local_address());
  ReceiveBatch batch;
  SendBatch send;

  for (int round = 0; round < 3; ++round) {
    push_text(send, "four", ipv4.local_address());
    ASSERT_EQ(send.flush(ipv4_client), SendStatus::kSent);
    push_text(send, "six", ipv6.local_address());
    ASSERT_EQ(send.flush(ipv6_client), SendStatus::kSent);
    ASSERT_TRUE(becomes_readable(ipv4));
    ASSERT_TRUE(becomes_readable(ipv6));

    const auto four = batch.receive(ipv4, 4);
    ASSERT_EQ(four.size(), 1U);
    EXPECT_EQ(text_of(four[0].bytes), "four");
    EXPECT_EQ(four[0].remote, ipv4_client.local_address());
    const auto six = batch.receive(ipv6, 4);
    ASSERT_EQ(six.size(), 1U);
    EXPECT_EQ(text_of(six[0].bytes), "six");
    EXPECT_EQ(six[0].remote, ipv6_client.local_address());
  }
}

TEST(ReceiveBatch, NoticesThatNobodyListensAtTheRemote) {
  const base::Address nobody = bound_to("127.0.0.1:0").local_address();  // closed again
  UdpSocket client = connected_to(nobody);
  SendBatch send;
  push_text(send, "hello?", nobody);
  ASSERT_EQ(send.flush(client), SendStatus::kSent);
  ASSERT_TRUE(becomes_readable(client));
  ReceiveBatch batch;

  EXPECT_TRUE(batch.receive(client, 4).empty());
  EXPECT_TRUE(batch.was_refused());

  EXPECT_TRUE(batch.receive(client, 4).empty());
  EXPECT_FALSE(batch.was_refused());
}

}  // namespace
}  // namespace orzatty::net
