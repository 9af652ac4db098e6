// What reading costs in memory, counted: the operator new of this test binary keeps the books.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "wire/framer.h"
#include "wire/hello.h"
#include "wire/subscribe.h"
#include "wire/test_streams.h"
#include "wire/welcome.h"

namespace {

std::size_t allocation_count = 0;
std::size_t allocated_bytes = 0;

void* allocate(std::size_t size) {
  ++allocation_count;
  allocated_bytes += size;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace orzatty::wire {
namespace {

struct Counted {
  std::uint64_t messages = 0;
  std::uint64_t spanning = 0;
};

// Reads `stream` in packets and touches every message.
Counted read_in_packets(ChannelStreamReader& reader, BytesView stream, std::size_t packet_size) {
  Counted counted;
  for (std::size_t at = 0; at < stream.size(); at += packet_size) {
    const BytesView packet = stream.subspan(at, std::min(packet_size, stream.size() - at));
    reader.feed(packet);
    while (true) {
      const auto item = reader.next();
      if (!item || std::holds_alternative<NeedMore>(*item)) break;
      const auto* messages = std::get_if<Messages>(&*item);
      if (messages == nullptr) continue;
      counted.messages += messages->count;
      const BytesView bytes = messages->bytes;
      const bool in_packet =
          bytes.data() >= packet.data() && bytes.data() < packet.data() + packet.size();
      counted.spanning += in_packet ? 0U : 1U;
    }
  }
  return counted;
}

TEST(Allocation, AHundredThousandMessagesThatSpanPacketsAllocateNothing) {
  const Bytes preface =
      test::StreamWriter().publish().run(0, std::vector<std::size_t>(100, 37)).bytes();
  test::StreamWriter runs;
  for (std::uint64_t first = 100; first < 100'100; first += 1000) {
    runs.run(first, std::vector<std::size_t>(1000, 37));
  }
  ChannelStreamReader reader(StreamOpener::kClient, 1024 * 1024);
  read_in_packets(reader, preface, 1400);
  read_in_packets(reader, BytesView(runs.bytes()).first(1000), 1000);  // warm: something is held

  const std::size_t before = allocation_count;
  const Counted counted = read_in_packets(reader, BytesView(runs.bytes()).subspan(1000), 1400);
  const std::size_t allocations = allocation_count - before;

  EXPECT_EQ(allocations, 0U);
  EXPECT_GT(counted.messages, 99'900U);
  EXPECT_GT(counted.spanning, 2500U);  // so the path that assembles was taken
  EXPECT_TRUE(reader.at_boundary());
}

TEST(Allocation, ADeclaredMessageOfAMegabyteAllocatesForWhatArrived) {
  test::StreamWriter stream;
  stream.publish().add(wire::Run{.size = 1U << 30}).raw(test::bytes({0x00, 0x80, 0x10, 0, 0, 'x'}));
  ChannelStreamReader reader(StreamOpener::kClient, 1024 * 1024);

  const std::size_t before = allocated_bytes;
  read_in_packets(reader, stream.bytes(), stream.bytes().size());

  EXPECT_LT(allocated_bytes - before, 512U);
  EXPECT_EQ(reader.held(), 6U);
}

// Random bytes, and frames with random bytes in them, through the same door as a peer's.
Bytes hostile_stream(test::Random& random) {
  Bytes stream;
  switch (random.below(3)) {
    case 0:
      stream = random.bytes(random.below(400));
      break;
    case 1:
      stream = test::StreamWriter().publish(3).run(3, {1, 80, 7}).run(6, {0}).bytes();
      test::append(stream, random.bytes(random.below(100)));
      break;
    default:
      stream = test::StreamWriter().deliver().alias(2, 9).producer(1).run(9, {4, 70}, 2, 1).bytes();
      break;
  }
  for (std::uint64_t flips = random.below(4); flips > 0 && !stream.empty(); --flips) {
    stream[random.below(stream.size())] = static_cast<std::byte>(random.next());
  }
  return stream;
}

TEST(Allocation, HostileStreamsNeverAllocateMuchMoreThanTheySend) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    test::Random random(seed);
    const Bytes stream = hostile_stream(random);
    const auto opener = random.below(2) == 0 ? StreamOpener::kClient : StreamOpener::kServer;
    const std::size_t part = 1 + random.below(100);

    const std::size_t before = allocated_bytes;
    ChannelStreamReader reader(opener, 1024 * 1024);
    read_in_packets(reader, stream, part);
    ASSERT_LE(allocated_bytes - before, 1024 + 8 * stream.size()) << "seed " << seed;
  }
}

TEST(Allocation, HostileBodiesNeverAllocateMuchMoreThanTheySend) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    test::Random random(seed);
    Bytes body = random.bytes(random.below(200));
    // Small numbers lead further in than random ones.
    for (std::byte& byte : body) {
      if (random.below(2) == 0) byte &= std::byte{0x0f};
    }

    const std::size_t before = allocated_bytes;
    const bool decoded = decode_hello(body).has_value() + decode_welcome(body).has_value() +
                             decode_subscribe(body).has_value() >
                         0;
    ASSERT_LE(allocated_bytes - before, 4096 + 64 * body.size()) << "seed " << seed << decoded;
  }
}

}  // namespace
}  // namespace orzatty::wire
