#include "bench_scenes.h"

#include <utility>

#include "bench_clients.h"
#include "bench_publishers.h"
#include "bench_subscribers.h"
#include "cpu_time.h"
#include "message_check.h"
#include "net/clock.h"

namespace orzatty::apps {
namespace {

constexpr Duration kPatience = std::chrono::seconds(30);
constexpr std::uint64_t kClockEvery = 256;  // messages between two looks at the clock

// Ten thousand subscribers hold up what was sent for longer than any of it should take: false only
// when nothing more was accepted for too long.
bool settle_while_it_moves(Client& client) {
  std::uint64_t accepted = client.stats().accepted;
  Instant moved_at = net::now();
  while (!client.settle(kPatience / 30)) {
    const std::uint64_t before = std::exchange(accepted, client.stats().accepted);
    if (accepted > before) moved_at = net::now();
    if (net::now() - moved_at > kPatience) return false;
  }
  return true;
}

// Sends for as long as the plan says, and until all of it is accepted; gives how many.
Result<std::uint64_t> send_numbered(Client& client, const std::string& channel,
                                    const BenchPlan& plan) {
  auto publisher = client.publisher(channel);
  if (!publisher) return std::unexpected(failure_of(publisher.error()));
  Bytes message = numbered_message(plan.size);
  const Instant end = net::now() + plan.time;
  std::uint64_t sent = 0;
  while (plan.count > 0 ? sent < plan.count : sent % kClockEvery != 0 || net::now() < end) {
    write_number(message, sent);
    if (const auto done = publisher->send(message); !done) {
      return std::unexpected(failure_of(done.error()));
    }
    ++sent;
  }
  if (!settle_while_it_moves(client)) {
    return failure(ExitCode::kFailed, "for 30 s no message was accepted");
  }
  if (const ClientStats stats = client.stats(); stats.accepted != sent) {
    return failure(ExitCode::kFailed, "only " + std::to_string(stats.accepted) + " of " +
                                          std::to_string(sent) + " messages were accepted");
  }
  return sent;
}

// How one that sent to the server's handlers came out.
Result<Flow> finish(Stage& stage, std::uint64_t sent, Duration time, Duration sender_cpu) {
  const auto tally = stage.own->stop();
  if (!tally) return std::unexpected(tally.error());
  const std::uint64_t lost = tally->lost(sent);
  return Flow{.sent = sent,
              .delivered = sent - lost + tally->repeated,
              .lost = lost,
              .repeated = tally->repeated,
              .time = time,
              .sender_cpu = sender_cpu,
              .server_cpu = tally->cpu,
              .subscribers_cpu = {}};
}

}  // namespace

Result<Flow> measure_endpoint(const BenchPlan& plan) {
  auto stage = set_up(plan);
  if (!stage) return std::unexpected(stage.error());
  auto client = open_client(*stage, Drive::kThreads);
  if (!client) return std::unexpected(client.error());
  const Instant start = net::now();
  const Duration cpu_before = cpu_time();
  const auto sent = send_numbered(*client, sink_channel(0), plan);
  if (!sent) return std::unexpected(sent.error());
  const Duration time = net::now() - start;
  const Duration sender_cpu = cpu_time() - cpu_before;
  static_cast<void>(client->close());
  return finish(*stage, *sent, time, sender_cpu);
}

Result<Flow> measure_publishers(const BenchPlan& plan) {
  auto stage = set_up(plan);
  if (!stage) return std::unexpected(stage.error());
  stage->cores.occupy(Cores::Side::kClients);
  BenchClients clients;
  if (plan.connections > 1) stage->client_options.spin = Duration::zero();
  if (const auto opened = clients.open(stage->address, stage->client_options, plan.connections);
      !opened) {
    return std::unexpected(refusal_of(opened.error()));
  }
  BenchPublishers publishers(plan);
  for (Client& client : clients.all()) {
    for (std::size_t i = 0; i < plan.channels; ++i) {
      if (auto added = publishers.add(client, sink_channel(i)); !added) {
        return std::unexpected(added.error());
      }
    }
  }
  const auto before = stage->own->figures();
  if (!before) return std::unexpected(before.error());
  const Instant start = net::now();
  const Duration cpu_before = cpu_time();
  const auto sent = publishers.run();
  if (!sent) return std::unexpected(sent.error());
  const Duration time = net::now() - start;
  const Duration sender_cpu = cpu_time() - cpu_before;
  clients.close();
  auto flow = finish(*stage, *sent, time, sender_cpu);
  if (flow) flow->server_cpu -= before->cpu;  // of the handshakes
  return flow;
}

Result<Flow> measure_hub(const BenchPlan& plan) {
  auto stage = set_up(plan);
  if (!stage) return std::unexpected(stage.error());
  const SubscriberPlan subscriber_plan{.address = stage->address,
                                       .client_options = stage->client_options,
                                       .channel = stage->channel,
                                       .count = plan.subscribers,
                                       .size = plan.size,
                                       .waiting = plan.waiting,
                                       .cores = plan.cores};
  auto subscribers = BenchSubscribers::start(subscriber_plan);
  if (!subscribers) return std::unexpected(subscribers.error());
  auto client = open_client(*stage, Drive::kThreads);
  if (!client) return std::unexpected(client.error());
  const Instant start = net::now();
  const Duration cpu_before = cpu_time();
  const auto sent = send_numbered(*client, stage->channel, plan);
  if (!sent) return std::unexpected(sent.error());
  const auto tally = subscribers->finish(*sent);
  if (!tally) return std::unexpected(tally.error());
  const Duration time = net::now() - start;
  const Duration sender_cpu = cpu_time() - cpu_before;
  static_cast<void>(client->close());
  Duration server_cpu{};
  if (stage->own) {
    const auto stopped = stage->own->stop();
    if (!stopped) return std::unexpected(stopped.error());
    server_cpu = stopped->cpu;
  }
  return Flow{.sent = *sent,
              .delivered = tally->delivered,
              .lost = tally->lost,
              .repeated = tally->repeated,
              .time = time,
              .sender_cpu = sender_cpu,
              .server_cpu = server_cpu,
              .subscribers_cpu = tally->cpu};
}

}  // namespace orzatty::apps
