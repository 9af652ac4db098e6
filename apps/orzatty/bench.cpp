#include <CLI/CLI.hpp>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "bench_clients.h"
#include "bench_report.h"
#include "bench_scenes.h"
#include "commands.h"
#include "connection_options.h"
#include "output.h"
#include "sequence_check.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  orzatty bench oneway                       a client to a handler of a server\n"
    "  orzatty bench oneway --connections 1000    a thousand clients\n"
    "  orzatty bench oneway --through-hub         a client to the hub to a subscriber\n"
    "  orzatty bench channels --channels 1000     a client to a thousand channels\n"
    "  orzatty bench rtt --busy-poll --size 256   there and back, without sleeping\n"
    "  orzatty bench latency --rate 50000         there and back, 50,000 a second on a schedule\n"
    "  orzatty bench fanout --subscribers 100     a client to the hub to 100 subscribers\n"
    "  orzatty bench handshakes --in-flight 16    connections opened and closed, with a token\n"
    "  orzatty bench idle --connections 10000     the server's memory for each\n\n"
    "Everything runs on this machine, encrypted, unless --server names a server that runs "
    "already.\n"
    "Each message is one send() and has a number, which its receiver checks with the content; exit "
    "code 1\n"
    "means that one was lost or came twice.";

struct BenchOptions {
  ConnectionOptions connection;
  BenchPlan plan;
  double seconds = 3;
  std::uint64_t runs = 3;
  std::string histogram;
  bool busy_poll = false;
  bool no_spin = false;
  bool through_hub = false;
  bool json = false;
};

// Lost and repeated messages of all runs.
struct Faults {
  std::uint64_t lost = 0;
  std::uint64_t repeated = 0;
};

template <class Run>
Faults faults_of(const std::vector<Run>& runs) {
  Faults faults;
  for (const Run& run : runs) {
    faults.lost += run.lost;
    faults.repeated += run.repeated;
  }
  return faults;
}

Result<void> write_histogram(const std::string& path, const std::vector<Times>& runs) {
  Histogram all;
  for (const Times& run : runs) all.add(run.histogram);
  std::ofstream file(path);
  file << all.distribution();
  file.close();
  if (file) return {};
  return failure(ExitCode::kFailed, "cannot write " + path);
}

class BenchCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  template <class Run>
  using Measure = Result<Run> (*)(const BenchPlan&);

  void declare_flows(CLI::App& command);
  void declare_times(CLI::App& command);
  void declare_connections(CLI::App& command);
  CLI::App& scene(CLI::App& command, std::string_view name, std::string_view description);
  void declare_messages(CLI::App& scene);
  void declare_counts(CLI::App& scene, std::string_view what);
  Result<void> plan();
  Result<void> run_oneway();
  template <class Run>
  Result<void> run_scene(Measure<Run> measure, std::string_view name);
  Result<void> finish(const Faults& faults);

  BenchOptions options_;
  CLI::App* oneway_ = nullptr;
  CLI::App* channels_ = nullptr;
  CLI::App* fanout_ = nullptr;
  CLI::App* round_trips_ = nullptr;
  CLI::App* latency_ = nullptr;
  CLI::App* handshakes_ = nullptr;
  CLI::App* idle_ = nullptr;
  Output output_;
};

CLI::App& BenchCommand::declare(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("bench", "Measure this machine, or a server");
  command.footer(kExamples);
  command.require_subcommand(1);
  declare_flows(command);
  declare_times(command);
  declare_connections(command);
  return command;
}

void BenchCommand::declare_flows(CLI::App& command) {
  BenchPlan& plan = options_.plan;
  oneway_ = &scene(command, "oneway", "Messages per second from one client, or from many");
  channels_ = &scene(command, "channels", "Messages per second to many channels, from one client");
  fanout_ = &scene(command, "fanout", "Deliveries per second to many subscribers");
  for (CLI::App* flow : {oneway_, channels_, fanout_}) declare_messages(*flow);
  auto* hub =
      oneway_->add_flag("--through-hub", options_.through_hub,
                        "To one subscriber of a hub channel, not to a handler of the server");
  oneway_
      ->add_option("--connections", plan.connections,
                   "So many clients, of one thread that polls them; they have the messages "
                   "together")
      ->check(CLI::Range(std::size_t{1}, kClientsPerProcess))
      ->excludes(hub);
  channels_->add_option("--channels", plan.channels, "How many (100)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000}));
  fanout_->add_option("--subscribers", plan.subscribers, "How many (100)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000}));
  for (CLI::App* flow : {oneway_, fanout_}) declare_connection(*flow, options_.connection);
}

void BenchCommand::declare_times(CLI::App& command) {
  BenchPlan& plan = options_.plan;
  round_trips_ = &scene(command, "rtt", "How long a message takes there and back");
  latency_ = &scene(command, "latency", "The same of messages on a schedule, late ones included");
  for (CLI::App* times : {round_trips_, latency_}) {
    declare_messages(*times);
    declare_connection(*times, options_.connection);
    times->add_option("--histogram", options_.histogram,
                      "Also write the times of all runs to this file, as HdrHistogram's tools plot "
                      "them");
    times->add_flag("--no-spin", options_.no_spin,
                    "The client sleeps at once, without asking for some microseconds before");
  }
  round_trips_->add_option("--in-flight", plan.in_flight, "So many messages at a time (1)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{4'096}));
  latency_
      ->add_option("--rate", plan.rate,
                   "Messages per second. Each is measured from when it was due, sent or not")
      ->check(CLI::Range(1.0, 100e6))
      ->capture_default_str();
}

void BenchCommand::declare_connections(CLI::App& command) {
  BenchPlan& plan = options_.plan;
  handshakes_ = &scene(command, "handshakes", "Connections opened with a token per second");
  handshakes_->add_option("--in-flight", plan.in_flight, "So many at a time (16)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{256}));
  declare_counts(*handshakes_, "Handshakes");
  idle_ = &scene(command, "idle", "The server's memory for a connection with nothing to do");
  idle_->add_option("--connections", plan.connections, "How many (1000)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{20'000}));
}

CLI::App& BenchCommand::scene(CLI::App& command, std::string_view name,
                              std::string_view description) {
  CLI::App& scene = *command.add_subcommand(std::string(name), std::string(description));
  scene.add_option("--seconds", options_.seconds, "How long each run goes on")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  scene.add_option("--runs", options_.runs, "How often; the result is the median")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1000}))
      ->capture_default_str();
  scene.add_flag("--json", options_.json, "Print the result as JSON");
  return scene;
}

void BenchCommand::declare_messages(CLI::App& scene) {
  scene.add_option("--size", options_.plan.size, "Bytes of a message")
      ->check(CLI::Range(kNumberedSizeMin, std::size_t{1024 * 1024}))
      ->capture_default_str();
  scene.add_flag("--busy-poll", options_.busy_poll, "Never sleep: burns two cores");
  declare_counts(scene, "Messages");
}

void BenchCommand::declare_counts(CLI::App& scene, std::string_view what) {
  scene
      .add_option("-n,--count", options_.plan.count,
                  std::string(what) + " of each run, instead of --seconds")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000}))
      ->excludes("--seconds");
}

Result<void> BenchCommand::plan() {
  BenchPlan& plan = options_.plan;
  plan.time = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options_.seconds));
  plan.waiting = options_.busy_poll ? Waiting::kSpin : Waiting::kSleep;
  if (options_.no_spin) plan.spin = Duration::zero();
  if (fanout_->parsed() && fanout_->count("--subscribers") == 0) plan.subscribers = 100;
  if (channels_->parsed() && channels_->count("--channels") == 0) plan.channels = 100;
  if (handshakes_->parsed() && handshakes_->count("--in-flight") == 0) plan.in_flight = 16;
  if (idle_->parsed() && idle_->count("--connections") == 0) plan.connections = 1'000;
  if (options_.connection.server.empty()) return {};
  auto target = target_of(options_.connection, process_environment());
  if (!target) return std::unexpected(target.error());
  ClientOptions client_options;
  client_options.token = target->token;
  client_options.trust = target->trust;
  plan.other = OtherServer{target->server, std::move(client_options)};
  return {};
}

Result<void> BenchCommand::run() {
  if (auto planned = plan(); !planned) return planned;
  if (round_trips_->parsed()) return run_scene(measure_round_trips, "rtt");
  if (latency_->parsed()) return run_scene(measure_latency, "latency");
  if (handshakes_->parsed()) return run_scene(measure_handshakes, "handshakes");
  if (idle_->parsed()) return run_scene(measure_idle, "idle");
  if (channels_->parsed()) return run_scene(measure_publishers, "channels");
  if (fanout_->parsed()) return run_scene(measure_hub, "fanout");
  return run_oneway();
}

Result<void> BenchCommand::run_oneway() {
  const bool many = oneway_->count("--connections") > 0;
  if (many && options_.plan.other) {
    return failure(ExitCode::kUsage,
                   "--connections measures a server of its own, without --server");
  }
  if (many) return run_scene(measure_publishers, "oneway of many");
  const bool hub = options_.through_hub || options_.plan.other;
  if (hub) return run_scene(measure_hub, "oneway through the hub");
  return run_scene(measure_endpoint, "oneway");
}

template <class Run>
Result<void> BenchCommand::run_scene(Measure<Run> measure, std::string_view name) {
  std::vector<Run> runs;
  for (std::uint64_t i = 0; i < options_.runs; ++i) {
    auto run = measure(options_.plan);
    if (!run) return std::unexpected(run.error());
    runs.push_back(std::move(*run));
  }
  const auto form = options_.json ? ReportForm::kJson : ReportForm::kLine;
  write_report(output_, {.name = name, .plan = options_.plan, .form = form}, runs);
  if constexpr (std::is_same_v<Run, Times>) {
    if (!options_.histogram.empty()) {
      if (auto written = write_histogram(options_.histogram, runs); !written) return written;
    }
  }
  return finish(faults_of(runs));
}

Result<void> BenchCommand::finish(const Faults& faults) {
  if (auto written = output_.flush(); !written) return written;
  if (faults.lost == 0 && faults.repeated == 0) return {};
  return failure(ExitCode::kFailed, std::to_string(faults.lost) + " messages were lost and " +
                                        std::to_string(faults.repeated) + " came twice");
}

}  // namespace

std::unique_ptr<Command> bench_command() { return std::make_unique<BenchCommand>(); }

}  // namespace orzatty::apps
