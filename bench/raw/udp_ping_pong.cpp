// What the kernel alone needs: a UDP datagram there and back between two processes on a core each,
// both asking without sleeping, or both asleep until it is there. No encryption, no protocol.
// Prints one line of JSON.
//
// Usage: udp_ping_pong [SIZE] [SECONDS] [busy|epoll]

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "arguments.h"
#include "cores.h"
#include "net/clock.h"
#include "orzatty/bytes.h"
#include "sockets.h"
#include "statistics.h"
#include "worker.h"

namespace orzatty::raw {
namespace {

using apps::Conversation;
using apps::Cores;

enum class Waiting : std::uint8_t { kBusy, kEpoll };

struct Plan {
  std::size_t size = 64;
  Duration time = std::chrono::seconds(3);
  Waiting waiting = Waiting::kBusy;
  Cores cores;
};

// One side of it. Loopback loses nothing, so both wait for ever; an empty datagram says that it is
// over.
class End {
 public:
  End(Waiting waiting, Conversation& conversation)
      : socket_(connected_socket(conversation)), waiting_(waiting) {
    if (waiting_ == Waiting::kBusy) return;
    epoll_event wanted{.events = EPOLLIN, .data = {}};
    if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, socket_.number(), &wanted) != 0) {
      fail("epoll_ctl");
    }
  }

  std::size_t receive(Bytes& message) {
    while (true) {
      if (waiting_ == Waiting::kEpoll) wait();
      const ssize_t size = ::recv(socket_.number(), message.data(), message.size(), 0);
      if (size >= 0) return static_cast<std::size_t>(size);
      if (errno != EAGAIN && errno != EINTR) fail("recv");
    }
  }
  void send(BytesView message) {
    if (::send(socket_.number(), message.data(), message.size(), 0) < 0) fail("send");
  }

 private:
  void wait() {
    epoll_event event{};
    if (::epoll_wait(epoll_.number(), &event, 1, -1) < 0 && errno != EINTR) fail("epoll_wait");
  }

  net::FileDescriptor socket_;
  Waiting waiting_;
  net::FileDescriptor epoll_{::epoll_create1(EPOLL_CLOEXEC)};
};

int answer(const Plan& plan, Conversation& conversation) {
  plan.cores.occupy(Cores::Side::kServer);
  End end(plan.waiting, conversation);
  Bytes message(plan.size);
  while (const std::size_t size = end.receive(message)) {
    end.send(BytesView(message).first(size));
  }
  return 0;
}

std::vector<Duration> measure(const Plan& plan, End& end) {
  Bytes message(plan.size);
  std::vector<Duration> times;
  times.reserve(2'000'000);
  const Instant start = net::now();
  for (Instant sent_at = start; sent_at - start < plan.time;) {
    sent_at = net::now();
    end.send(message);
    end.receive(message);
    times.push_back(net::now() - sent_at);
  }
  end.send({});
  return times;
}

int run(const Plan& plan) {
  auto worker = apps::Worker::start(
      [&plan](Conversation& conversation) { return answer(plan, conversation); });
  if (!worker) fail("fork");
  plan.cores.occupy(Cores::Side::kClients);
  End end(plan.waiting, worker->conversation());
  const apps::Percentiles percentiles = apps::percentiles_of(measure(plan, end));
  std::printf(
      "{\"bench\": \"udp rtt\", \"size\": %zu, \"p50_us\": %.2f, \"p99_us\": %.2f, "
      "\"p99_9_us\": %.2f}\n",
      plan.size, percentiles.p50, percentiles.p99, percentiles.p999);
  return worker->await() ? 0 : 1;
}

}  // namespace
}  // namespace orzatty::raw

int main(int count, char** words) {
  using namespace orzatty::raw;
  const auto given = arguments(count, words, {.size = 64}, Words{"busy", "epoll"});
  if (!given) return 2;
  return run({.size = given->size,
              .time = given->time,
              .waiting = given->word == "busy" ? Waiting::kBusy : Waiting::kEpoll,
              .cores = {}});
}
