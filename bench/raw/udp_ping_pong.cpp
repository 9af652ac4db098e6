// What the kernel alone needs: a UDP datagram there and back between two processes on a core each,
// both asking without sleeping. No encryption, no protocol. Prints one line of JSON.
//
// Usage: udp_ping_pong [SIZE] [SECONDS]

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cores.h"
#include "loopback_address.h"
#include "net/clock.h"
#include "sequence_check.h"
#include "statistics.h"
#include "worker.h"

namespace orzatty::raw {
namespace {

using apps::Conversation;
using apps::Cores;

struct Plan {
  std::size_t size = 64;
  Duration time = std::chrono::seconds(3);
  Cores cores;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

net::FileDescriptor bound_socket() {
  net::FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(0);
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("bind");
  }
  return socket;
}

std::uint16_t port_of(const net::FileDescriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    fail("getsockname");
  }
  return ntohs(address.sin_port);
}

void connect_to(const net::FileDescriptor& socket, std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0) {
    fail("connect");
  }
}

// Loopback loses nothing, so both sides wait for ever; an empty datagram says that it is over.
std::size_t receive(const net::FileDescriptor& socket, Bytes& message) {
  while (true) {
    const ssize_t size = ::recv(socket.number(), message.data(), message.size(), 0);
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno != EAGAIN && errno != EINTR) fail("recv");
  }
}

void send(const net::FileDescriptor& socket, BytesView message) {
  if (::send(socket.number(), message.data(), message.size(), 0) < 0) fail("send");
}

int answer(const Plan& plan, Conversation& conversation) {
  plan.cores.occupy(Cores::Side::kServer);
  const net::FileDescriptor socket = bound_socket();
  conversation.tell(port_of(socket));
  const auto port = conversation.hear<std::uint16_t>();
  if (!port) return 1;
  connect_to(socket, *port);
  conversation.tell(*port);
  Bytes message(plan.size);
  while (const std::size_t size = receive(socket, message)) {
    send(socket, BytesView(message).first(size));
  }
  return 0;
}

std::vector<Duration> measure(const Plan& plan, const net::FileDescriptor& socket) {
  Bytes message(plan.size);
  std::vector<Duration> times;
  times.reserve(2'000'000);
  const Instant start = net::now();
  for (Instant sent_at = start; sent_at - start < plan.time;) {
    sent_at = net::now();
    send(socket, message);
    receive(socket, message);
    times.push_back(net::now() - sent_at);
  }
  send(socket, {});
  return times;
}

int run(const Plan& plan) {
  auto worker = apps::Worker::start(
      [&plan](Conversation& conversation) { return answer(plan, conversation); });
  if (!worker) fail("fork");
  const auto port = worker->conversation().hear<std::uint16_t>();
  if (!port) fail("the other process");
  plan.cores.occupy(Cores::Side::kClients);
  const net::FileDescriptor socket = bound_socket();
  connect_to(socket, *port);
  worker->conversation().tell(port_of(socket));
  if (!worker->conversation().hear<std::uint16_t>()) fail("the other process");
  const apps::Percentiles percentiles = apps::percentiles_of(measure(plan, socket));
  std::printf(
      "{\"bench\": \"udp rtt\", \"size\": %zu, \"p50_us\": %.2f, \"p99_us\": %.2f, "
      "\"p99_9_us\": %.2f}\n",
      plan.size, percentiles.p50, percentiles.p99, percentiles.p999);
  return worker->await() ? 0 : 1;
}

}  // namespace
}  // namespace orzatty::raw

int main(int count, char** words) {
  orzatty::raw::Plan plan;
  if (count > 1) plan.size = std::strtoul(words[1], nullptr, 10);
  if (count > 2) {
    plan.time = std::chrono::duration_cast<orzatty::Duration>(
        std::chrono::duration<double>(std::strtod(words[2], nullptr)));
  }
  if (count > 3 || plan.size == 0 || plan.size > 65'000) {
    std::fputs("usage: udp_ping_pong [SIZE 1..65000] [SECONDS]\n", stderr);
    return 2;
  }
  return orzatty::raw::run(plan);
}
