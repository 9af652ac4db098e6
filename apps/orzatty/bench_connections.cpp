#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "bench_clients.h"
#include "bench_scenes.h"
#include "cpu_time.h"
#include "net/clock.h"
#include "output.h"
#include "worker.h"

namespace orzatty::apps {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(100);  // at idle clients, for heartbeats

// Handshakes of several threads, as a client waits for its own.
class HandshakeCount {
 public:
  HandshakeCount(const BenchPlan& plan, const Stage& stage)
      : plan_(plan), options_(stage.client_options), address_(stage.address) {
    options_.drive = Drive::kPoll;
    options_.spin = Duration::zero();  // the others have use for the time
  }

  void run() {
    const Instant end = net::now() + plan_.time;
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < plan_.in_flight; ++i) {
      threads.emplace_back([this, end] { open_and_close(end); });
    }
  }

  std::uint64_t opened() const { return opened_.load(); }
  std::uint64_t failed() const { return failed_.load(); }

 private:
  void open_and_close(Instant end) {
    while (plan_.count > 0 ? begun_.fetch_add(1) < plan_.count : net::now() < end) {
      const auto client = Client::connect(address_, options_);
      ++(client && !client->identity().empty() ? opened_ : failed_);
    }
  }

  const BenchPlan& plan_;
  ClientOptions options_;
  std::string address_;
  std::atomic<std::uint64_t> begun_ = 0;
  std::atomic<std::uint64_t> opened_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
};

struct Ready {};
struct Check {};
struct Alive {
  std::uint64_t count = 0;
};

// All of a process with idle clients.
int idle(const Stage& stage, std::size_t count, Conversation& conversation) {
  stage.cores.occupy(Cores::Side::kClients);
  ClientOptions options = stage.client_options;
  options.spin = Duration::zero();
  BenchClients clients;
  if (const auto opened = clients.open(stage.address, options, count); !opened) {
    tell(opened.error().text);
    return 1;
  }
  conversation.tell(Ready{});
  while (!conversation.was_told()) {
    clients.poll();
    clients.all().front().poll(kLookEvery);
  }
  if (!conversation.hear<Check>()) return 1;  // the bench is gone
  const auto answers = [](Client& client) { return client.ping().has_value(); };
  const auto alive = std::ranges::count_if(clients.all(), answers);
  return conversation.tell(Alive{static_cast<std::uint64_t>(alive)}) ? 0 : 1;
}

Result<std::vector<Worker>> start_idle(const BenchPlan& plan, const Stage& stage) {
  std::vector<Worker> workers;
  for (std::size_t left = plan.connections; left > 0;) {
    const std::size_t part = std::min(left, kClientsPerProcess);
    auto worker =
        Worker::start([&](Conversation& conversation) { return idle(stage, part, conversation); });
    if (!worker) return std::unexpected(worker.error());
    workers.push_back(std::move(*worker));
    left -= part;
  }
  for (Worker& worker : workers) {
    if (!worker.conversation().hear<Ready>()) {
      return failure(ExitCode::kFailed, "not all connections could be opened");
    }
  }
  return workers;
}

Result<std::uint64_t> count_alive(std::vector<Worker>& workers) {
  std::uint64_t alive = 0;
  for (Worker& worker : workers) {
    worker.conversation().tell(Check{});
    const auto answer = worker.conversation().hear<Alive>();
    if (!worker.await() || !answer) {
      return failure(ExitCode::kFailed, "the connections of the bench failed");
    }
    alive += answer->count;
  }
  return alive;
}

}  // namespace

Result<Handshakes> measure_handshakes(const BenchPlan& plan) {
  auto stage = set_up(plan);
  if (!stage) return std::unexpected(stage.error());
  stage->cores.occupy(Cores::Side::kClients);
  const auto before = stage->own->figures();
  if (!before) return std::unexpected(before.error());
  HandshakeCount handshakes(plan, *stage);
  const Instant start = net::now();
  const Duration cpu_before = cpu_time();
  handshakes.run();
  const Duration time = net::now() - start;
  const Duration clients_cpu = cpu_time() - cpu_before;
  const auto after = stage->own->figures();
  if (!after) return std::unexpected(after.error());
  if (const auto tally = stage->own->stop(); !tally) return std::unexpected(tally.error());
  return Handshakes{.count = handshakes.opened(),
                    .lost = handshakes.failed(),
                    .time = time,
                    .clients_cpu = clients_cpu,
                    .server_cpu = after->cpu - before->cpu};
}

Result<IdleConnections> measure_idle(const BenchPlan& plan) {
  auto stage = set_up(plan);
  if (!stage) return std::unexpected(stage.error());
  const auto before = stage->own->figures();
  if (!before) return std::unexpected(before.error());
  auto workers = start_idle(plan, *stage);
  if (!workers) return std::unexpected(workers.error());
  const auto opened = stage->own->figures();
  if (!opened) return std::unexpected(opened.error());
  std::this_thread::sleep_for(plan.time);  // what is measured: that nothing happens
  const auto after = stage->own->figures();
  if (!after) return std::unexpected(after.error());
  const auto alive = count_alive(*workers);
  if (!alive) return std::unexpected(alive.error());
  if (const auto tally = stage->own->stop(); !tally) return std::unexpected(tally.error());
  return IdleConnections{.count = plan.connections,
                         .lost = plan.connections - *alive,
                         .server_bytes = after->resident_bytes - before->resident_bytes,
                         .time = plan.time,
                         .server_cpu = after->cpu - opened->cpu};
}

}  // namespace orzatty::apps
