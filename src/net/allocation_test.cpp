// Counts what the whole test program allocates, so it replaces operator new for all of it.

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "net/loopback_for_test.h"
#include "net/wakeup.h"

namespace {

thread_local std::size_t allocation_count = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocation_count;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
// Not inlined: g++ would see free() meet a `new` that it does not look into, and warn.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace orzatty::net {
namespace {

TEST(Allocation, IsNotNeededToMovePackets) {
  UdpSocket server = bound_to("0.0.0.0:0");
  base::Address loopback = address("127.0.0.1:0");
  loopback.port = server.local_address().port;
  UdpSocket client = connected_to(loopback);
  auto poller = Poller::open();
  auto wakeup = Wakeup::open();
  ASSERT_TRUE(poller && poller->add(server.fd(), 1, Interest::kRead) && wakeup);
  SendBatch send;
  ReceiveBatch receive;
  const std::string text(1200, 'x');
  std::size_t arrived = 0;

  const std::size_t before = allocation_count;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 40; ++i) push_text(send, text, loopback, 2);
    send.flush(client);
    (*wakeup)->begin_sleep();
    if (poller->wait(now() + std::chrono::seconds(5)).empty()) break;
    (*wakeup)->end_sleep();
    for (const Received& received : receive.receive(server, 8)) arrived += received.bytes.size();
  }
  const std::size_t count = allocation_count - before;

  EXPECT_EQ(count, 0U);
  EXPECT_GE(arrived, 100 * text.size());
}

}  // namespace
}  // namespace orzatty::net
