#include "runtime/batch_sink.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "net/loopback_for_test.h"

namespace orzatty::runtime {
namespace {

void push(BatchSink& sink, std::string_view text, const base::Address& local,
          const base::Address& remote) {
  std::ranges::copy(bytes_of(text), sink.space().begin());
  sink.push({.size = text.size(), .local = local, .remote = remote});
}

// The address from which that socket got one packet.
base::Address sender(net::UdpSocket& receiver) {
  const auto packets = net::receive_packets(receiver, 1);
  EXPECT_EQ(packets.size(), 1U);
  return packets.empty() ? base::Address{} : packets.front().remote;
}

TEST(BatchSink, APacketLeavesByTheVeryAddressItIsFromThoughOthersHaveTheSamePort) {
  BatchSink sink;
  net::UdpSocket first = net::bound_to("127.0.0.1:0");
  base::Address other = net::address("127.0.0.2:0");
  other.port = first.local_address().port;
  auto second = net::UdpSocket::bind(other, {});
  ASSERT_TRUE(second) << second.error().text;
  const base::Address one = first.local_address();
  sink.add(std::move(first));
  sink.add(std::move(*second));
  net::UdpSocket receiver = net::bound_to("127.0.0.1:0");

  push(sink, "from the second", other, receiver.local_address());
  sink.flush();
  EXPECT_EQ(sender(receiver), other);
  push(sink, "from the first", one, receiver.local_address());
  sink.flush();
  EXPECT_EQ(sender(receiver), one);
}

TEST(BatchSink, AnAddressOfAWildcardSocketIsFoundByItsPort) {
  BatchSink sink;
  sink.add(net::bound_to("127.0.0.1:0"));
  net::UdpSocket any = net::bound_to("0.0.0.0:0");
  base::Address local = net::address("127.0.0.3:0");
  local.port = any.local_address().port;
  sink.add(std::move(any));
  net::UdpSocket receiver = net::bound_to("127.0.0.1:0");

  push(sink, "from one of many", local, receiver.local_address());
  sink.flush();

  EXPECT_EQ(sender(receiver), local);
}

}  // namespace
}  // namespace orzatty::runtime
