#include <CLI/CLI.hpp>
#include <array>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "commands.h"
#include "demo_phase.h"
#include "demo_table.h"
#include "output.h"
#include "quantity.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Publishes FILE line by line from three publishers on demo.a, demo.b and demo.c at once, to "
    "five\n"
    "subscribers: one of each channel, one of two, one of demo.> with all. Each checks order and\n"
    "digest against the file. Then once more at a moderate rate, for the latency that people "
    "meet.\n\n"
    "Example, with a server beside it (./demo starts one by itself):\n"
    "  orzatty demo book.txt";

struct DemoOptions {
  ConnectionOptions connection;
  std::string file;
  double rate = 10'000;  // per publisher, in the second pass
  double seconds = 2;
  std::uint64_t server_process = 0;
  bool json = false;
};

// The most memory that a process has had, or 0 when that cannot be told.
double memory_peak(const std::string& process) {
  std::ifstream status("/proc/" + process + "/status");
  for (std::string line; std::getline(status, line);) {
    constexpr std::string_view kKey = "VmHWM:";
    if (line.starts_with(kKey)) return 1024 * std::stod(line.substr(kKey.size()));
  }
  return 0;
}

std::string text_of_result(const DemoResult& result) {
  const double time = std::max(seconds(result.time), 1e-9);
  return std::to_string(result.published) + " messages (" +
         text_of_size(static_cast<double>(result.bytes)) + ") in " + text_of_duration(result.time) +
         ": " + text_of_rate(static_cast<double>(result.published) / time) + " messages/s in, " +
         text_of_rate(static_cast<double>(result.deliveries) / time) + " deliveries/s out";
}

std::string text_of_latency(const DemoResult& result) {
  return "p50 " + text_of_duration(result.latency_p50) + ", p99 " +
         text_of_duration(result.latency_p99);
}

nlohmann::ordered_json json_of(const DemoResult& result) {
  return {{"published", result.published},
          {"accepted", result.accepted},
          {"bytes", result.bytes},
          {"deliveries", result.deliveries},
          {"lost", result.lost()},
          {"out_of_order", result.disordered},
          {"gaps", result.missed},
          {"digests_equal", result.digests_equal},
          {"digests", result.digests_due},
          {"seconds", seconds(result.time)},
          {"latency_p50_seconds", seconds(result.latency_p50)},
          {"latency_p99_seconds", seconds(result.latency_p99)}};
}

class DemoCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  Result<DemoResult> run_phase(const DemoSource& source, const DemoPhaseOptions& options,
                               Interruption& interruption) const;
  Result<void> tell_result(const DemoResult& full, const DemoResult& paced) const;
  [[nodiscard]] std::string summary(const DemoResult& full, const DemoResult& paced) const;
  [[nodiscard]] std::string json(const DemoResult& full, const DemoResult& paced) const;

  DemoOptions options_;
};

CLI::App& DemoCommand::declare(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("demo", "Show the main job with a real file");
  command.footer(kExamples);
  command.add_option("FILE", options_.file, "Its lines are the messages")->required();
  command.add_option("--rate", options_.rate, "Messages per second and publisher, second pass")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  command.add_option("--seconds", options_.seconds, "How long the second pass takes")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  command.add_option("--server-process", options_.server_process,
                     "Process id of the server, to tell its memory");
  command.add_flag("--json", options_.json, "Print the result as JSON");
  declare_connection(command, options_.connection);
  return command;
}

Result<void> DemoCommand::run() {
  const auto source = read_demo_source(options_.file);
  if (!source) return std::unexpected(source.error());
  auto interruption = Interruption::watch(ExitCode::kIncomplete);
  if (!interruption) return std::unexpected(interruption.error());
  const auto full =
      run_phase(*source, {.message_count = source->lines.size(), .rate = 0}, **interruption);
  if (!full) return std::unexpected(full.error());
  const auto wanted = static_cast<std::uint64_t>(options_.rate * options_.seconds) + 1;
  const std::uint64_t count = std::min<std::uint64_t>(wanted, source->lines.size());
  const auto paced =
      run_phase(*source, {.message_count = count, .rate = options_.rate}, **interruption);
  if (!paced) return std::unexpected(paced.error());
  return tell_result(*full, *paced);
}

Result<DemoResult> DemoCommand::run_phase(const DemoSource& source, const DemoPhaseOptions& options,
                                          Interruption& interruption) const {
  auto phase = DemoPhase::open(source, options, options_.connection, interruption);
  if (!phase) return std::unexpected(phase.error());
  const std::string pace =
      options.rate > 0 ? text_of_rate(options.rate) + " messages/s from each" : "full speed";
  DemoTable table(**phase, source.name + ": " + std::to_string(options.message_count) +
                               " lines from three publishers, " + pace);
  const auto done = (*phase)->run(interruption, [&] {
    if (table.is_due()) table.show();
  });
  if (!done) return std::unexpected(done.error());
  table.finish();
  return (*phase)->result();
}

Result<void> DemoCommand::tell_result(const DemoResult& full, const DemoResult& paced) const {
  Output output;
  output.write_line(options_.json ? json(full, paced) : summary(full, paced));
  if (auto written = output.flush(); !written) return written;
  if (full.is_right() && paced.is_right()) return {};
  return failure(ExitCode::kFailed,
                 "what arrived is not what was published: that is a bug, please report it");
}

std::string DemoCommand::summary(const DemoResult& full, const DemoResult& paced) const {
  const std::uint64_t due = full.deliveries_due + paced.deliveries_due;
  std::string text;
  const auto add = [&text](std::string_view title, const std::string& value) {
    if (!text.empty()) text += '\n';
    (text += title).append(14 - title.size(), ' ') += value;
  };
  add("full speed", text_of_result(full));
  add("  latency", text_of_latency(full) + ", as every buffer is full");
  add("moderate", text_of_result(paced));
  add("  latency", text_of_latency(paced));
  const double server =
      options_.server_process > 0 ? memory_peak(std::to_string(options_.server_process)) : 0;
  add("memory", (server > 0 ? "server " + text_of_size(server) + ", " : "") +
                    "all eight clients in one process " + text_of_size(memory_peak("self")) +
                    ", the file included");
  add("lost", std::to_string(full.lost() + paced.lost()) + " of " + std::to_string(due) +
                  " deliveries, " + std::to_string(full.missed + paced.missed) + " told as gaps");
  add("out of order", std::to_string(full.disordered + paced.disordered));
  add("accepted", std::to_string(full.accepted + paced.accepted) + " of " +
                      std::to_string(full.published + paced.published) + " published");
  add("SHA-256", std::to_string(full.digests_equal + paced.digests_equal) + " of " +
                     std::to_string(full.digests_due + paced.digests_due) +
                     " equal to the source's");
  return text;
}

std::string DemoCommand::json(const DemoResult& full, const DemoResult& paced) const {
  nlohmann::ordered_json json = {{"full_speed", json_of(full)}, {"moderate", json_of(paced)}};
  if (options_.server_process > 0) {
    json["server_memory_bytes"] = memory_peak(std::to_string(options_.server_process));
  }
  json["client_memory_bytes"] = memory_peak("self");
  return json.dump();
}

}  // namespace

std::unique_ptr<Command> demo_command() { return std::make_unique<DemoCommand>(); }

}  // namespace orzatty::apps
