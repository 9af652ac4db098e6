#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "bench_scenes.h"
#include "commands.h"
#include "connection_options.h"
#include "output.h"
#include "quantity.h"
#include "quic/packet_protection.h"
#include "runtime/packet_protection.h"
#include "sequence_check.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  orzatty bench oneway                       a client to a handler of a server\n"
    "  orzatty bench oneway --through-hub         a client to the hub to a subscriber\n"
    "  orzatty bench rtt --busy-poll --size 256   there and back, without sleeping\n"
    "  orzatty bench fanout --subscribers 100     a client to the hub to 100 subscribers\n\n"
    "Everything runs on this machine, encrypted, unless --server names a server that runs "
    "already.\n"
    "Each message is one send() and has a number, which its receiver checks; exit code 1 means "
    "that\n"
    "one was lost or came twice.";

struct BenchOptions {
  ConnectionOptions connection;
  BenchPlan plan;
  double seconds = 3;
  std::uint64_t runs = 3;
  bool busy_poll = false;
  bool through_hub = false;
  bool json = false;
};

// Lost and repeated messages of all runs.
struct Faults {
  std::uint64_t lost = 0;
  std::uint64_t repeated = 0;
};

nlohmann::ordered_json json_of(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.least}, {"max", spread.most}};
}

// One number of each run.
template <class Run, class Value>
Spread spread_over(const std::vector<Run>& runs, Value value) {
  std::vector<double> values;
  for (const Run& run : runs) values.push_back(value(run));
  return spread_of(std::move(values));
}

template <class Run>
Faults faults_of(const std::vector<Run>& runs) {
  Faults faults;
  for (const Run& run : runs) {
    faults.lost += run.lost;
    faults.repeated += run.repeated;
  }
  return faults;
}

double per_second(std::uint64_t count, Duration time) {
  return static_cast<double>(count) / seconds(time);
}

// Nanoseconds of processor time for each message, the median.
double cpu_over(const std::vector<Flow>& runs, Duration Flow::* cpu, std::uint64_t Flow::* count) {
  return spread_over(runs,
                     [cpu, count](const Flow& run) {
                       return seconds(run.*cpu) * 1e9 / static_cast<double>(run.*count);
                     })
      .median;
}

class BenchCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  void declare_common(CLI::App& scene);
  template <class Run>
  Result<std::vector<Run>> repeat(Result<Run> (*measure)(const BenchPlan&)) const;
  Result<void> run_flow(Result<Flow> (*measure)(const BenchPlan&), std::string_view name);
  Result<void> run_round_trips();
  void print_flow(const std::vector<Flow>& runs, std::string_view name);
  void print_round_trips(const std::vector<RoundTripTimes>& runs);
  [[nodiscard]] nlohmann::ordered_json setting(std::string_view name) const;
  Result<void> finish(const Faults& faults);
  void write_json(nlohmann::ordered_json json, const Faults& faults);

  BenchOptions options_;
  CLI::App* oneway_ = nullptr;
  CLI::App* round_trips_ = nullptr;
  CLI::App* fanout_ = nullptr;
  Output output_;
};

CLI::App& BenchCommand::declare(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("bench", "Measure this machine, or a server");
  command.footer(kExamples);
  command.require_subcommand(1);
  oneway_ = command.add_subcommand("oneway", "Messages per second from one client");
  round_trips_ = command.add_subcommand("rtt", "How long a message takes there and back");
  fanout_ = command.add_subcommand("fanout", "Deliveries per second to many subscribers");
  for (CLI::App* scene : {oneway_, round_trips_, fanout_}) declare_common(*scene);
  oneway_->add_flag("--through-hub", options_.through_hub,
                    "To one subscriber of a hub channel, not to a handler of the server");
  fanout_->add_option("--subscribers", options_.plan.subscribers, "How many (100)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000}));
  return command;
}

void BenchCommand::declare_common(CLI::App& scene) {
  BenchPlan& plan = options_.plan;
  scene.add_option("--size", plan.size, "Bytes of a message")
      ->check(CLI::Range(kNumberedSizeMin, std::size_t{1024 * 1024}))
      ->capture_default_str();
  auto* time = scene.add_option("--seconds", options_.seconds, "How long each run sends")
                   ->check(CLI::Range(0.01, 3600.0))
                   ->capture_default_str();
  scene.add_option("-n,--count", plan.count, "Messages of each run, instead of --seconds")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000}))
      ->excludes(time);
  scene.add_option("--runs", options_.runs, "How often; the result is the median")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1000}))
      ->capture_default_str();
  scene.add_flag("--busy-poll", options_.busy_poll, "Never sleep: burns two cores");
  scene.add_flag("--json", options_.json, "Print the result as JSON");
  declare_connection(scene, options_.connection);
}

Result<void> BenchCommand::run() {
  BenchPlan& plan = options_.plan;
  plan.time = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options_.seconds));
  plan.waiting = options_.busy_poll ? Waiting::kSpin : Waiting::kSleep;
  if (fanout_->count("--subscribers") == 0 && fanout_->parsed()) plan.subscribers = 100;
  if (!options_.connection.server.empty()) {
    auto target = target_of(options_.connection, process_environment());
    if (!target) return std::unexpected(target.error());
    ClientOptions client_options;
    client_options.token = target->token;
    client_options.trust = target->trust;
    plan.other = OtherServer{target->server, std::move(client_options)};
  }
  if (round_trips_->parsed()) return run_round_trips();
  if (fanout_->parsed()) return run_flow(measure_hub, "fanout");
  const bool hub = options_.through_hub || plan.other;
  return run_flow(hub ? measure_hub : measure_endpoint, hub ? "oneway through the hub" : "oneway");
}

template <class Run>
Result<std::vector<Run>> BenchCommand::repeat(Result<Run> (*measure)(const BenchPlan&)) const {
  std::vector<Run> runs;
  for (std::uint64_t i = 0; i < options_.runs; ++i) {
    auto run = measure(options_.plan);
    if (!run) return std::unexpected(run.error());
    runs.push_back(std::move(*run));
  }
  return runs;
}

Result<void> BenchCommand::run_flow(Result<Flow> (*measure)(const BenchPlan&),
                                    std::string_view name) {
  const auto runs = repeat(measure);
  if (!runs) return std::unexpected(runs.error());
  print_flow(*runs, name);
  return finish(faults_of(*runs));
}

Result<void> BenchCommand::run_round_trips() {
  const auto runs = repeat(measure_round_trips);
  if (!runs) return std::unexpected(runs.error());
  print_round_trips(*runs);
  return finish(faults_of(*runs));
}

void BenchCommand::print_flow(const std::vector<Flow>& runs, std::string_view name) {
  const Spread deliveries =
      spread_over(runs, [](const Flow& run) { return per_second(run.delivered, run.time); });
  const Spread messages =
      spread_over(runs, [](const Flow& run) { return per_second(run.sent, run.time); });
  const double bytes = deliveries.median * static_cast<double>(options_.plan.size);
  if (!options_.json) {
    return output_.write_line(std::string(name) + ", " + std::to_string(options_.plan.size) +
                              " bytes: " + text_of_rate(deliveries.median) +
                              (fanout_->parsed() ? " deliveries/s" : " messages/s") + " (" +
                              text_of_rate(deliveries.least) + " to " +
                              text_of_rate(deliveries.most) + "), " + text_of_size(bytes) + "/s");
  }
  nlohmann::ordered_json json = setting(name);
  if (fanout_->parsed()) {
    json["subscribers"] = options_.plan.subscribers;
    json["deliveries_per_second"] = json_of(deliveries);
  }
  json["messages_per_second"] = json_of(messages);
  json["bytes_per_second"] = bytes;
  json["sender_cpu_ns_per_message"] = cpu_over(runs, &Flow::sender_cpu, &Flow::sent);
  json["server_cpu_ns_per_delivery"] = cpu_over(runs, &Flow::server_cpu, &Flow::delivered);
  json["subscribers_cpu_ns_per_delivery"] =
      cpu_over(runs, &Flow::subscribers_cpu, &Flow::delivered);
  write_json(std::move(json), faults_of(runs));
}

void BenchCommand::print_round_trips(const std::vector<RoundTripTimes>& runs) {
  const Spread p50 = spread_over(runs, [](const auto& run) { return run.percentiles.p50; });
  const Spread p99 = spread_over(runs, [](const auto& run) { return run.percentiles.p99; });
  const Spread p999 = spread_over(runs, [](const auto& run) { return run.percentiles.p999; });
  if (!options_.json) {
    return output_.write_line("rtt, " + std::to_string(options_.plan.size) + " bytes: p50 " +
                              fixed(p50.median, 1) + " µs (" + fixed(p50.least, 1) + " to " +
                              fixed(p50.most, 1) + "), p99 " + fixed(p99.median, 1) +
                              " µs, p99.9 " + fixed(p999.median, 1) + " µs");
  }
  nlohmann::ordered_json json = setting("rtt");
  json["round_trips"] = runs.front().count;
  json["p50_us"] = json_of(p50);
  json["p99_us"] = json_of(p99);
  json["p99_9_us"] = json_of(p999);
  write_json(std::move(json), faults_of(runs));
}

nlohmann::ordered_json BenchCommand::setting(std::string_view name) const {
  return {{"bench", name},         {"size", options_.plan.size},
          {"runs", options_.runs}, {"busy_poll", options_.busy_poll},
          {"encrypted", true},     {"encrypted_by", quic::name_of(runtime::packet_protection())}};
}

void BenchCommand::write_json(nlohmann::ordered_json json, const Faults& faults) {
  json["lost"] = faults.lost;
  json["repeated"] = faults.repeated;
  output_.write_line(json.dump());
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
