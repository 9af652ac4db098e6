#include "scene.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "cores.h"
#include "cpu_time.h"
#include "net/clock.h"

namespace orzatty::peers {
namespace {

using apps::Conversation;
using apps::Cores;

constexpr std::uint64_t kClockEvery = 64;  // messages between two looks at the clock
constexpr unsigned int kPatience = 60;     // seconds more than asked for: a lost end never comes

struct Tally {
  std::uint64_t next_min = 0;  // of all receipts
  std::uint64_t faults = 0;
  Instant ended_at{};  // by the last one
  Duration cpu{};
};

void say(const char* what) { std::fprintf(stderr, "peer: %s\n", what); }

Tally receive_flow(Peer& peer, const Plan& plan, Conversation& sender) {
  std::vector<Receipt> receipts(plan.subscribers, Receipt(plan.size));
  const Duration cpu_before = apps::cpu_time();
  peer.receive(plan, sender, receipts);
  Tally tally{.next_min = receipts.front().next(),
              .faults = 0,
              .ended_at = {},
              .cpu = apps::cpu_time() - cpu_before};
  for (const Receipt& receipt : receipts) {
    tally.next_min = std::min(tally.next_min, receipt.next());
    tally.ended_at = std::max(tally.ended_at, receipt.ended_at());
    tally.faults += receipt.faults(receipt.next());
  }
  return tally;
}

// One core per side, as Orzatty is measured. But what brings threads for both sides, a broker or
// many subscribers, is placed by the kernel: pinned, NATS fanned out at less than half of its rate.
void occupy_core(const Peer& peer, const Plan& plan, Cores::Side side) {
  if (peer.describe().has_broker || plan.mode == Mode::kFanOut) return;
  Cores().occupy(side);
}

// A process of its own.
apps::Worker start_receiver(const Peer& peer, const Plan& plan,
                            const std::function<void(Conversation&)>& work) {
  auto worker = apps::Worker::start([&](Conversation& sender) {
    occupy_core(peer, plan, Cores::Side::kServer);
    try {
      work(sender);
    } catch (const std::exception& failed) {
      say(failed.what());
      return 1;
    }
    return 0;
  });
  if (!worker) throw Failed(worker.error().text);
  return std::move(*worker);
}

std::uint64_t send_for(Duration time, std::size_t size, Link& link) {
  Bytes message(size);
  const Instant end = net::now() + time;
  std::uint64_t sent = 0;
  while (sent % kClockEvery != 0 || net::now() < end) {
    apps::write_number(message, sent++);
    link.send(message);
  }
  apps::write_number(message, kEnd);
  link.send(message);
  link.finish();
  return sent;
}

void print_flow(const Description& peer, const Plan& plan, const Flow& flow) {
  const auto sent = static_cast<double>(flow.sent);
  const double delivered = sent * static_cast<double>(plan.subscribers);
  const std::string mode(name_of(plan.mode));
  std::printf(
      "{\"bench\": \"%s %s %s\", \"version\": \"%s\", \"size\": %zu, \"subscribers\": %zu, "
      "\"messages_per_second\": %.0f, \"deliveries_per_second\": %.0f, "
      "\"sender_cpu_ns_per_message\": %.1f, \"receiver_cpu_ns_per_message\": %.1f}\n",
      peer.name.c_str(), plan.variant.c_str(), mode.c_str(), peer.version.c_str(), plan.size,
      plan.subscribers, sent / flow.seconds, delivered / flow.seconds, flow.sender_cpu_ns / sent,
      flow.receiver_cpu_ns / delivered);
}

void print_round_trips(const Description& peer, const Plan& plan,
                       const apps::Percentiles& percentiles) {
  std::printf(
      "{\"bench\": \"%s %s rtt\", \"version\": \"%s\", \"size\": %zu, \"p50_us\": %.2f, "
      "\"p99_us\": %.2f, \"p99_9_us\": %.2f}\n",
      peer.name.c_str(), plan.variant.c_str(), peer.version.c_str(), plan.size, percentiles.p50,
      percentiles.p99, percentiles.p999);
}

void give_up(int) {
  constexpr std::string_view kLine = "peer: not all messages came\n";
  static_cast<void>(!::write(2, kLine.data(), kLine.size()));
  ::_exit(1);
}

void give_up_after(Duration time) {
  ::signal(SIGALRM, give_up);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
  ::alarm(static_cast<unsigned int>(seconds) + kPatience);
}

}  // namespace

Flow measure_flow(Peer& peer, const Plan& plan) {
  peer.prepare(plan);
  auto receiver = start_receiver(peer, plan, [&](Conversation& sender) {
    sender.tell(receive_flow(peer, plan, sender));
    // Libraries take what was received last with them when they end: the sender says when.
    static_cast<void>(sender.hear<bool>());
  });
  occupy_core(peer, plan, Cores::Side::kClients);
  const auto link = peer.open(plan, receiver.conversation());
  const Instant start = net::now();
  const Duration cpu_before = apps::cpu_time();
  Flow flow;
  flow.sent = send_for(plan.time, plan.size, *link);
  const auto tally = heard<Tally>(receiver.conversation());
  flow.seconds = std::chrono::duration<double>(tally.ended_at - start).count();
  flow.sender_cpu_ns = static_cast<double>((apps::cpu_time() - cpu_before).count());
  flow.receiver_cpu_ns = static_cast<double>(tally.cpu.count());
  receiver.conversation().tell(true);
  require(receiver.await(), "the receiver failed");
  require(tally.next_min == flow.sent && tally.faults == 0,
          "messages were lost, came twice or were not whole");
  return flow;
}

apps::Percentiles measure_round_trips(Peer& peer, const Plan& plan) {
  peer.prepare(plan);
  auto receiver =
      start_receiver(peer, plan, [&](Conversation& sender) { peer.echo(plan, sender); });
  occupy_core(peer, plan, Cores::Side::kClients);
  const auto link = peer.open(plan, receiver.conversation());
  Bytes message(plan.size);
  Receipt receipt(plan.size);
  std::vector<Duration> times;
  times.reserve(1'000'000);
  const Instant end = net::now() + plan.time;
  for (Instant sent_at{}; sent_at < end;) {
    apps::write_number(message, times.size());
    sent_at = net::now();
    link->send(message);
    receipt.take(link->receive());
    times.push_back(net::now() - sent_at);
  }
  apps::write_number(message, kEnd);
  link->send(message);
  link->finish();
  require(receiver.await(), "the receiver failed");
  require(receipt.faults(times.size()) == 0, "an answer was not what was sent");
  return apps::percentiles_of(std::move(times));
}

int run(Peer& peer, int count, char** words) {
  const std::vector<std::string_view> arguments(words + std::min(count, 1), words + count);
  const Description description = peer.describe();
  const auto plan = parse_plan(description, arguments);
  if (!plan) {
    std::fprintf(stderr, "%s\n", plan.error().c_str());
    return 2;
  }
  give_up_after(plan->time);
  try {
    if (plan->mode == Mode::kRoundTrip) {
      print_round_trips(description, *plan, measure_round_trips(peer, *plan));
    } else {
      print_flow(description, *plan, measure_flow(peer, *plan));
    }
  } catch (const std::exception& failed) {
    say(failed.what());
    return 1;
  }
  return 0;
}

}  // namespace orzatty::peers
