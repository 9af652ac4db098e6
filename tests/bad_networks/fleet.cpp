// A fleet of clients in one process: each publishes numbers that its neighbour has to hear once and
// in order. Says "connected" on stderr when all are there, at the end the account on stdout.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <fstream>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

#include "account.h"
#include "member.h"
#include "net/clock.h"
#include "net/poller.h"

namespace orzatty::fleet {
namespace {

struct Options {
  std::string server;
  std::string pin;
  std::string token;
  std::uint32_t clients = 100;
  std::uint64_t messages = 1000;
  std::size_t size = 100;
  std::uint64_t rate = 10'000;  // of all together, per second
  double patience = 120;        // seconds, to connect, and again to be told of everything
  double hold = 0;              // seconds to stay at least
  std::uint64_t dead_after_ms = 10'000;
  std::string record;
};

using Members = std::vector<std::unique_ptr<Member>>;

Duration seconds(double count) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(count));
}

double seconds_since(Instant start) {
  return std::chrono::duration<double>(net::now() - start).count();
}

ClientOptions client_options(const Options& options) {
  ClientOptions client;
  client.token = options.token;
  client.trust = Trust::pinned(options.pin);
  client.connect_timeout = seconds(options.patience);
  client.spin = Duration::zero();  // a thousand of them have no core of their own
  client.limits.dead_after = std::chrono::milliseconds(options.dead_after_ms);
  client.limits.heartbeat_interval = client.limits.dead_after / 2;
  return client;
}

// Many at once: on a bad path one after the other would take for ever.
bool begin(Members& members, const Options& options) {
  constexpr std::size_t kAtOnce = 64;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(kAtOnce, members.size()); ++i) {
    threads.emplace_back([&] {
      for (std::size_t own = next++; own < members.size() && !failed; own = next++) {
        const auto begun = members[own]->begin(options.server, client_options(options));
        if (begun || failed.exchange(true)) continue;
        std::cerr << "fleet: client " << own << ": " << begun.error().text << '\n';
      }
    });
  }
  threads.clear();
  return !failed;
}

// The alarm clock of the thread that drives the fleet: it keeps a rate, and looks now and then.
class Clock {
 public:
  void wait_until(Instant when) { static_cast<void>(poller_.wait(when)); }
  void wait_for(Duration duration) { wait_until(net::now() + duration); }

 private:
  net::Poller poller_ = std::move(*net::Poller::open());
};

// At an even rate, in turns. Who has no room waits for its next turn.
void publish(Members& members, const Options& options, Clock& clock) {
  const Instant start = net::now();
  std::uint64_t sent = 0;
  const auto all_sent = [](const auto& member) { return member->all_sent(); };
  while (!std::ranges::all_of(members, all_sent)) {
    const std::uint64_t before = sent;
    for (const auto& member : members) {
      if (member->all_sent() || !member->send_next()) continue;
      ++sent;
      const Instant due =
          start + seconds(static_cast<double>(sent) / static_cast<double>(options.rate));
      if (due > net::now()) clock.wait_until(due);
    }
    if (sent == before) clock.wait_for(std::chrono::milliseconds(1));
  }
}

void wait_for_all(const Members& members, Duration patience, Instant stay_until, Clock& clock) {
  const Instant deadline = net::now() + patience;
  const auto all = [&] {
    return std::ranges::all_of(members, [](const auto& member) { return member->complete(); });
  };
  while (net::now() < deadline && (!all() || net::now() < stay_until)) {
    clock.wait_for(std::chrono::milliseconds(5));
  }
}

int run(const Options& options) {
  Members members;
  for (std::uint32_t i = 0; i < options.clients; ++i) {
    members.push_back(std::make_unique<Member>(
        Task{i, (i + 1) % options.clients, options.messages, options.size}));
  }
  Times times;
  const Instant start = net::now();
  if (!begin(members, options)) return 1;
  times.connected_seconds = seconds_since(start);
  std::cerr << "connected" << std::endl;
  const Instant first = net::now();
  Clock clock;
  publish(members, options, clock);
  wait_for_all(members, seconds(options.patience), first + seconds(options.hold), clock);
  times.seconds = seconds_since(first);
  for (const auto& member : members) member->end();
  std::cout << account_of(members, times) << std::endl;
  if (!options.record.empty()) {
    std::ofstream out(options.record);
    write_records(members, out);
    if (!out.flush()) {
      std::cerr << "fleet: cannot write " << options.record << '\n';
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace orzatty::fleet

int main(int argc, char** argv) {
  orzatty::fleet::Options options;
  CLI::App app("A fleet of clients, each publishing numbers that its neighbour has to hear");
  app.add_option("--server", options.server, "HOST:PORT")->required();
  app.add_option("--pin", options.pin)->required();
  app.add_option("--token", options.token)->required();
  app.add_option("--clients", options.clients)->check(CLI::PositiveNumber);
  app.add_option("--messages", options.messages, "of each client");
  app.add_option("--size", options.size, "of a message, in bytes");
  app.add_option("--rate", options.rate, "messages per second of all")->check(CLI::PositiveNumber);
  app.add_option("--patience", options.patience, "seconds");
  app.add_option("--hold", options.hold, "seconds to stay at least");
  app.add_option("--dead-after-ms", options.dead_after_ms);
  app.add_option("--record", options.record, "a line of JSON per client goes there");
  CLI11_PARSE(app, argc, argv);
  return orzatty::fleet::run(options);
}
