// Counts what server and clients of one process allocate, in all threads, while messages flow: it
// replaces operator new for the whole program, and malloc too where no sanitizer has done so, as
// ngtcp2 and GnuTLS are C and allocate with it.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "served.h"

namespace {

std::atomic<std::uint64_t> new_count{0};
std::atomic<std::uint64_t> malloc_count{0};

void* allocate(std::size_t size, std::size_t alignment) {
  new_count.fetch_add(1, std::memory_order_relaxed);
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  if (void* memory = std::aligned_alloc(alignment, rounded)) return memory;
  std::abort();
}

}  // namespace

// Not inlined: g++ would see memory of aligned_alloc() meet a `delete`, or free() one of `new`, and
// warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment,
                                     const std::nothrow_t&) noexcept {
  return allocate(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);

void* malloc(std::size_t size) {
  malloc_count.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  malloc_count.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
}
#endif

namespace orzatty {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kCount = 200'000;

struct Allocations {
  std::uint64_t by_new = new_count.load();
  std::uint64_t by_malloc = malloc_count.load();
};

// Sends kCount messages of 64 bytes, waits until they are accepted and `received` says that all
// have arrived.
void send_all(Client& client, Publisher& publisher, const std::atomic<std::uint64_t>& received,
              std::uint64_t until) {
  const std::array<std::byte, 64> message{};
  for (std::uint64_t i = 0; i < kCount; ++i) ASSERT_TRUE(publisher.send(BytesView(message)));
  ASSERT_TRUE(client.settle(60s));
  ASSERT_TRUE(eventually([&] { return received.load() == until; }));
}

// Of the second 200'000 messages: with the first ones buffers and tables get as large as they need
// to. What a whole batch of messages costs may be allocated (a frame that tells of thousands of
// them, a segment when more of them wait than before), but nothing for a message or a packet, of
// which there are 22 times fewer.
void expect_no_allocation_per_message(const char* way, Client& client, Publisher& publisher,
                                      const std::atomic<std::uint64_t>& received) {
  send_all(client, publisher, received, kCount);

  const Allocations before;
  send_all(client, publisher, received, 2 * kCount);
  const Allocations after;

  const std::uint64_t by_new = after.by_new - before.by_new;
  const std::uint64_t by_malloc = after.by_malloc - before.by_malloc;
  std::printf("%s: %llu allocations by operator new and %llu by malloc (ngtcp2, GnuTLS) for %llu\n",
              way, static_cast<unsigned long long>(by_new),
              static_cast<unsigned long long>(by_malloc), static_cast<unsigned long long>(kCount));
  EXPECT_LT(by_new, kCount / 1000);
}

TEST(Allocations, AreNoneForAMessageFromAClientToAHandlerOfTheServer) {
  std::atomic<std::uint64_t> received{0};
  Served served({}, [&received](Server& server) {
    ASSERT_TRUE(server.on(1, [&received](Peer&, const Message&) { ++received; }));
  });
  auto client = served.connect();
  ASSERT_TRUE(client.has_value()) << client.error().text;
  auto publisher = client->publisher(1);
  ASSERT_TRUE(publisher.has_value());

  expect_no_allocation_per_message("to a handler", *client, *publisher, received);
}

TEST(Allocations, AreNoneForAMessageThroughTheHubToASubscriber) {
  std::atomic<std::uint64_t> received{0};
  Served served;
  auto client = served.connect();
  auto subscriber = served.connect();
  ASSERT_TRUE(client && subscriber);
  auto publisher = client->publisher("quotes");
  auto subscription = subscriber->subscribe("quotes", [&received](const Message&) { ++received; });
  ASSERT_TRUE(publisher.has_value() && subscription.has_value());

  expect_no_allocation_per_message("through the hub", *client, *publisher, received);
}

}  // namespace
}  // namespace orzatty
