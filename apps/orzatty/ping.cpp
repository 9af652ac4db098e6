#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "commands.h"
#include "connection_options.h"
#include "interruption.h"
#include "net/clock.h"
#include "orzatty/client.h"
#include "output.h"
#include "quantity.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  orzatty ping\n"
    "  orzatty ping --server example.org:5000 --token-file token --count 100 --interval 0.1";

struct PingOptions {
  ConnectionOptions connection;
  std::uint64_t count = 4;
  double interval = 0.2;  // seconds
  double timeout = 5;     // seconds
  bool json = false;
};

struct RoundTrips {
  Duration least{};
  Duration average{};
  Duration most{};
};

RoundTrips round_trips_of(const std::vector<Duration>& times) {
  const auto [least, most] = std::ranges::minmax(times);
  const Duration sum = std::accumulate(times.begin(), times.end(), Duration::zero());
  return {least, sum / static_cast<Duration::rep>(times.size()), most};
}

class PingCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  Result<void> ping_all(Client& client, const Interruption& interruption, Output& output);
  void print(Output& output) const;

  PingOptions options_;
  std::vector<Duration> times_;
};

CLI::App& PingCommand::declare(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("ping", "Measure round trips to the server");
  command.footer(kExamples);
  command.add_option("-n,--count", options_.count, "How many")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000}))
      ->capture_default_str();
  command.add_option("--interval", options_.interval, "Seconds between two")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  command.add_option("--timeout", options_.timeout, "Seconds to wait for one answer")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  command.add_flag("--json", options_.json, "Print the result as JSON");
  declare_connection(command, options_.connection);
  return command;
}

Result<void> PingCommand::run() {
  auto interruption = Interruption::watch(ExitCode::kIncomplete);
  if (!interruption) return std::unexpected(interruption.error());
  auto client = connect(options_.connection, {}, **interruption);
  if (!client) return std::unexpected(client.error());
  Output output;
  const auto done = ping_all(*client, **interruption, output);
  if (!times_.empty()) print(output);
  const auto written = output.flush();
  (void)client->close(std::chrono::seconds(1));
  if (!done) return done;
  if (times_.size() < options_.count) {
    return failure(ExitCode::kIncomplete, "interrupted after " + std::to_string(times_.size()) +
                                              " of " + std::to_string(options_.count) +
                                              " round trips");
  }
  return written;
}

Result<void> PingCommand::ping_all(Client& client, const Interruption& interruption,
                                   Output& output) {
  const auto duration_of = [](double value) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
  };
  Instant due = net::now();
  while (times_.size() < options_.count && interruption.sleep_until(due)) {
    const auto time = client.ping(duration_of(options_.timeout));
    if (!time) return std::unexpected(failure_of(time.error()));
    times_.push_back(*time);
    if (!options_.json) {
      output.write_line("round trip " + std::to_string(times_.size()) + ": " +
                        text_of_duration(*time));
      if (auto written = output.flush(); !written) return written;
    }
    due += duration_of(options_.interval);
  }
  return {};
}

void PingCommand::print(Output& output) const {
  const RoundTrips trips = round_trips_of(times_);
  if (!options_.json) {
    output.write_line(std::to_string(times_.size()) + " round trips: least " +
                      text_of_duration(trips.least) + ", average " +
                      text_of_duration(trips.average) + ", most " + text_of_duration(trips.most));
    return;
  }
  const nlohmann::ordered_json json = {{"count", times_.size()},
                                       {"min_seconds", seconds(trips.least)},
                                       {"average_seconds", seconds(trips.average)},
                                       {"max_seconds", seconds(trips.most)}};
  output.write_line(json.dump());
}

}  // namespace

std::unique_ptr<Command> ping_command() { return std::make_unique<PingCommand>(); }

}  // namespace orzatty::apps
