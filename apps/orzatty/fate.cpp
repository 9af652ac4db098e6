#include <CLI/CLI.hpp>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "connection_options.h"
#include "interruption.h"
#include "orzatty/channel.h"
#include "orzatty/client.h"
#include "output.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  orzatty fate import log.lines                   what became of all its messages\n"
    "  orzatty fate import log.lines --from 100 --to 200\n"
    "  orzatty fate import log.lines --json\n\n"
    "PRODUCER is the name that 'orzatty pub --producer' was given, under the same token: nobody\n"
    "learns of another identity's messages. 'unknown' never came to the server; of 'forgotten' ones\n"
    "it no longer remembers which fate they had.";

constexpr std::uint64_t kSequenceMax = (std::uint64_t{1} << 62) - 1;

struct FateOptions {
  ConnectionOptions connection;
  std::string producer;
  std::string channel;
  std::uint64_t epoch = 0;
  std::uint64_t from = 0;
  std::uint64_t to = kSequenceMax;  // behind the last
  double timeout = 5;               // seconds
  bool json = false;
};

// Behind the newest message there is no end to what never came.
std::optional<std::uint64_t> last_of(const KnownFate& fate) {
  if (fate.to.value() == kSequenceMax) return std::nullopt;
  return fate.to.value() - 1;
}

std::string line_of(const KnownFate& fate) {
  const auto last = last_of(fate);
  std::string text = std::to_string(fate.from.value());
  if (!last) {
    text += " and later";
  } else if (*last > fate.from.value()) {
    text += " to " + std::to_string(*last);
  }
  text += ": " + std::string(name(fate.kind));
  if (fate.kind == KnownFate::Kind::kAccepted) {
    text += ", from offset " + std::to_string(fate.first_offset.value()) + " on";
  } else if (fate.kind == KnownFate::Kind::kRejected && fate.code != ErrorCode::kNone) {
    text += ", " + std::string(name(fate.code));
  }
  return text;
}

nlohmann::ordered_json json_of(const KnownFate& fate) {
  nlohmann::ordered_json json = {{"from", fate.from.value()}, {"to", nullptr}};
  if (last_of(fate)) json["to"] = fate.to.value();
  json["fate"] = name(fate.kind);
  if (fate.kind == KnownFate::Kind::kAccepted) json["first_offset"] = fate.first_offset.value();
  if (fate.kind == KnownFate::Kind::kRejected) json["code"] = name(fate.code);
  return json;
}

class FateCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  FateOptions options_;
};

CLI::App& FateCommand::declare(CLI::App& program) {
  CLI::App& command =
      *program.add_subcommand("fate", "Ask what became of the messages of a named producer");
  command.footer(kExamples);
  command.add_option("PRODUCER", options_.producer, "Its name")->required();
  command.add_option("CHANNEL", options_.channel, "The channel that it published to")->required();
  command.add_option("--epoch", options_.epoch, "The epoch that it published in")
      ->check(CLI::Range(std::uint64_t{0}, kSequenceMax))
      ->capture_default_str();
  command.add_option("--from", options_.from, "The first sequence")
      ->check(CLI::Range(std::uint64_t{0}, kSequenceMax - 1))
      ->capture_default_str();
  command.add_option("--to", options_.to, "Behind the last sequence; without it, all there are")
      ->check(CLI::Range(std::uint64_t{1}, kSequenceMax));
  command.add_option("--timeout", options_.timeout, "Seconds to wait for the answer")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  command.add_flag("--json", options_.json, "Print one JSON object per line");
  declare_connection(command, options_.connection);
  return command;
}

Result<void> FateCommand::run() {
  if (!ChannelName::parse(options_.channel)) {
    return failure(ExitCode::kUsage, "'" + options_.channel + "' is no channel name");
  }
  if (options_.to <= options_.from) {
    return failure(ExitCode::kUsage, "--to is behind the last sequence: more than --from");
  }
  auto interruption = Interruption::watch(ExitCode::kIncomplete);
  if (!interruption) return std::unexpected(interruption.error());
  auto client = connect(options_.connection, {}, **interruption);
  if (!client) return std::unexpected(client.error());
  const auto fates = client->fate(
      options_.channel,
      {.producer = named_producer(options_.producer),
       .epoch = options_.epoch,
       .from = Sequence(options_.from),
       .count = options_.to - options_.from},
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options_.timeout)));
  if (!fates) return std::unexpected(failure_of(fates.error()));
  Output output;
  for (const KnownFate& fate : *fates) {
    output.write_line(options_.json ? json_of(fate).dump() : line_of(fate));
  }
  const auto written = output.flush();
  (void)client->close(std::chrono::seconds(1));
  if (!written || fates->back().to.value() == options_.to) return written;
  return failure(ExitCode::kIncomplete, "there is more: ask again with --from " +
                                            std::to_string(fates->back().to.value()));
}

}  // namespace

std::unique_ptr<Command> fate_command() { return std::make_unique<FateCommand>(); }

}  // namespace orzatty::apps
