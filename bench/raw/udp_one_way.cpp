// What the kernel alone lets through: UDP datagrams from one process to another, on a core each,
// many by a system call (GSO and GRO) or one by one. What the receiver does not get in time is
// dropped, so what arrived is counted. No encryption, no protocol. Prints one line of JSON.
//
// Usage: udp_one_way [SIZE] [SECONDS] [gso|plain]

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "arguments.h"
#include "cores.h"
#include "net/clock.h"
#include "orzatty/bytes.h"
#include "sockets.h"
#include "worker.h"

namespace orzatty::raw {
namespace {

using apps::Conversation;
using apps::Cores;

constexpr std::size_t kMergedMax = 64 * 1024;  // what GRO makes of datagrams
constexpr std::size_t kSentMax = 65'000;       // what GSO takes
constexpr std::size_t kSegmentsMax = 64;
constexpr int kBuffer = 4 * 1024 * 1024;  // as our sockets ask for

enum class Batching : std::uint8_t { kGso, kPlain };

struct Plan {
  std::size_t size = 1452;
  Duration time = std::chrono::seconds(3);
  Batching batching = Batching::kGso;
  Cores cores;
};

struct Stop {};
struct Arrived {
  std::uint64_t bytes = 0;
};

void set_option(const net::FileDescriptor& socket, int level, int name, int value) {
  if (::setsockopt(socket.number(), level, name, &value, sizeof value) != 0) fail("setsockopt");
}

int receive(const Plan& plan, Conversation& conversation) {
  plan.cores.occupy(Cores::Side::kServer);
  const net::FileDescriptor socket = connected_socket(conversation);
  set_option(socket, SOL_SOCKET, SO_RCVBUF, kBuffer);
  if (plan.batching == Batching::kGso) set_option(socket, SOL_UDP, UDP_GRO, 1);
  Bytes buffer(kMergedMax);
  Arrived arrived;
  while (true) {
    const ssize_t size = ::recv(socket.number(), buffer.data(), buffer.size(), 0);
    if (size >= 0) {
      arrived.bytes += static_cast<std::uint64_t>(size);
    } else if (errno != EAGAIN && errno != EINTR) {
      fail("recv");
    } else if (conversation.was_told()) {
      break;
    }
  }
  return conversation.tell(arrived) ? 0 : 1;
}

Duration send_all(const Plan& plan, Conversation& conversation) {
  plan.cores.occupy(Cores::Side::kClients);
  const net::FileDescriptor socket = connected_socket(conversation);
  set_option(socket, SOL_SOCKET, SO_SNDBUF, kBuffer);
  std::size_t count = 1;
  if (plan.batching == Batching::kGso) {
    count = std::min(kSegmentsMax, kSentMax / plan.size);
    set_option(socket, SOL_UDP, UDP_SEGMENT, static_cast<int>(plan.size));
  }
  const Bytes packets(count * plan.size);
  const Instant start = net::now();
  while (net::now() - start < plan.time) {
    if (::send(socket.number(), packets.data(), packets.size(), 0) < 0 && errno != EAGAIN &&
        errno != EINTR && errno != ENOBUFS) {
      fail("send");
    }
  }
  const Duration time = net::now() - start;
  conversation.tell(Stop{});
  return time;
}

int run(const Plan& plan) {
  auto worker = apps::Worker::start(
      [&plan](Conversation& conversation) { return receive(plan, conversation); });
  if (!worker) fail("fork");
  const double seconds =
      std::chrono::duration<double>(send_all(plan, worker->conversation())).count();
  const auto arrived = worker->conversation().hear<Arrived>();
  if (!arrived) fail("the receiver");
  const double rate = static_cast<double>(arrived->bytes) / seconds;
  std::printf(
      "{\"bench\": \"udp one way\", \"size\": %zu, \"gso\": %s, \"bytes_per_second\": %.0f, "
      "\"packets_per_second\": %.0f}\n",
      plan.size, plan.batching == Batching::kGso ? "true" : "false", rate,
      rate / static_cast<double>(plan.size));
  return worker->await() ? 0 : 1;
}

}  // namespace
}  // namespace orzatty::raw

int main(int count, char** words) {
  using namespace orzatty::raw;
  const auto given = arguments(count, words, {.size = 1452}, Words{"gso", "plain"});
  if (!given) return 2;
  return run({.size = given->size,
              .time = given->time,
              .batching = given->word == "gso" ? Batching::kGso : Batching::kPlain,
              .cores = {}});
}
