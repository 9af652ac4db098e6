#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "fault_script_file.h"
#include "interruption.h"
#include "lab_relay.h"
#include "lab_report.h"
#include "net/clock.h"
#include "net/entropy.h"
#include "net/resolver.h"
#include "output.h"
#include "progress.h"
#include "quantity.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "A UDP proxy with the faults of bad networks, for any program that speaks UDP.\n\n"
    "Examples:\n"
    "  orzatty lab --preset mobile               between 127.0.0.1:6000 and 'orzatty serve --dev'\n"
    "  orzatty context save lab --server 127.0.0.1:6000 --pin PIN --token-file FILE\n"
    "  orzatty sub 'news.>' --context lab        and so through it; 'serve --dev' tells PIN and "
    "FILE\n"
    "  orzatty lab --listen 127.0.0.1:6000 --to 127.0.0.1:5000 --fault loss=0.05 --fault "
    "delay=100ms\n"
    "  orzatty lab --script faults.toml --seed 7 --duration 60s --json\n\n"
    "Presets: wifi, mobile, satellite, hostile.\n"
    "Faults, both ways or as up.KEY, down.KEY: delay, jitter, loss, burst_begins, burst_ends,\n"
    "burst_loss, reordering, duplication, corruption, truncation, rate, queue_bytes, mtu,\n"
    "black_hole; and rebind_every, which gives every client a new port on the server's side.\n"
    "Probabilities are per datagram. A rate is what each client has.\n\n"
    "A fault script:\n"
    "  preset = \"wifi\"            # where it starts from\n"
    "  seed = 7                   # the same seed, the same faults\n"
    "  loss = 0.05\n"
    "  [up]\n"
    "  rate = \"64kbit/s\"\n"
    "  [[phase]]                  # otherwise as above\n"
    "  from = \"5s\"\n"
    "  to = \"8s\"\n"
    "  every = \"20s\"              # again at 25s, 45s, ...\n"
    "  black_hole = true\n\n"
    "Ctrl-C ends it with the account, a second one at once.";

struct LabOptions {
  std::string listen = "127.0.0.1:6000";
  std::string server = "127.0.0.1:5000";
  std::string preset;
  std::string script;
  std::vector<std::string> faults;
  std::optional<std::uint64_t> seed;
  std::string duration;
  bool json = false;
  bool quiet = false;
};

Result<base::Address> address_of(const std::string& text) {
  const auto addresses = net::resolve(text);
  if (!addresses) {
    const bool usage = addresses.error().kind == ErrorKind::kArgument;
    return failure(usage ? ExitCode::kUsage : ExitCode::kFailed, addresses.error().text);
  }
  return addresses->front();
}

Result<lab::FaultScript> script_of(const LabOptions& options) {
  if (!options.preset.empty() && !options.script.empty()) {
    return failure(ExitCode::kUsage,
                   "give either --preset or --script, which may itself say preset = \"" +
                       options.preset + "\"");
  }
  Result<lab::FaultScript> script = lab::FaultScript{};
  if (!options.preset.empty()) script = preset_script(options.preset);
  if (!options.script.empty()) script = load_fault_script(options.script);
  if (!script) return script;
  if (auto added = add_faults(*script, options.faults); !added) {
    return std::unexpected(added.error());
  }
  if (options.seed) script->seed = options.seed;
  if (!script->seed) script->seed = net::entropy_seed() >> 1U;  // fits what a script may say
  return script;
}

class LabCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  Result<void> relay_until_end(LabRelay& relay, std::uint64_t seed, std::optional<Duration> length,
                               const Interruption& interruption) const;
  Result<void> print_summary(const LabReport& report) const;

  LabOptions options_;
};

CLI::App& LabCommand::declare(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("lab", "Put a bad network before a UDP server");
  command.footer(kExamples);
  command.add_option("--listen", options_.listen, "HOST:PORT for the clients")
      ->capture_default_str();
  command.add_option("--to", options_.server, "HOST:PORT of the server")->capture_default_str();
  command.add_option("--preset", options_.preset, "wifi, mobile, satellite or hostile");
  command.add_option("--script", options_.script, "Fault script (TOML)");
  command
      .add_option("--fault", options_.faults, "KEY=VALUE, such as loss=0.05; any number of them")
      ->allow_extra_args(false);
  command.add_option("--seed", options_.seed, "Of all chance; drawn and told when left out");
  command.add_option("--duration", options_.duration, "End after so long, such as 60s");
  command.add_flag("--json", options_.json, "Print the account as JSON, and nothing else");
  command.add_flag("-q,--quiet", options_.quiet, "No live counters");
  return command;
}

Result<void> LabCommand::run() {
  std::optional<Duration> length;
  if (!options_.duration.empty()) {
    length = parse_duration(options_.duration);
    if (!length) {
      return failure(ExitCode::kUsage,
                     "--duration '" + options_.duration + "' is no time such as 500ms, 60s, 10m");
    }
  }
  auto script = script_of(options_);
  if (!script) return std::unexpected(script.error());
  const auto listen = address_of(options_.listen);
  if (!listen) return std::unexpected(listen.error());
  const auto server = address_of(options_.server);
  if (!server) return std::unexpected(server.error());
  auto interruption = Interruption::watch(ExitCode::kFailed);
  if (!interruption) return std::unexpected(interruption.error());
  const std::uint64_t seed = script->seed.value_or(0);
  auto relay = LabRelay::open(*listen, *server, std::move(*script));
  if (!relay) return std::unexpected(relay.error());
  const std::string start = "listening on " + (*relay)->address().text() + ", to " +
                            server->text() + ", seed " + std::to_string(seed);
  if (options_.json) {
    tell(start);
  } else {
    Output output;
    output.write_line(start);
    (void)output.flush();  // It relays, whether or not somebody reads this.
  }
  return relay_until_end(**relay, seed, length, **interruption);
}

Result<void> LabCommand::relay_until_end(LabRelay& relay, std::uint64_t seed,
                                         std::optional<Duration> length,
                                         const Interruption& interruption) const {
  constexpr Duration kSlice = std::chrono::milliseconds(50);  // until a signal is noticed
  const Instant began = net::now();
  const auto report = [&] {
    return LabReport{.counts = relay.counts(), .seed = seed, .time = net::now() - began};
  };
  Progress progress(options_.quiet || options_.json ? Progress::Mode::kOff
                                                    : Progress::Mode::kTerminal);
  LabReport before = report();
  while (!interruption.happened()) {
    Instant until = net::now() + kSlice;
    if (length && net::now() >= began + *length) break;
    if (length) until = std::min(until, began + *length);
    relay.turn(until);
    if (!progress.is_due()) continue;
    LabReport now = report();
    progress.show(live_line(relay, now, before));
    before = std::move(now);
  }
  progress.clear();
  return print_summary(report());
}

Result<void> LabCommand::print_summary(const LabReport& report) const {
  Output output;
  if (options_.json) {
    output.write_line(summary_json(report));
  } else {
    for (const std::string& line : summary_lines(report)) output.write_line(line);
  }
  return output.flush();
}

}  // namespace

std::unique_ptr<Command> lab_command() { return std::make_unique<LabCommand>(); }

}  // namespace orzatty::apps
