#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "commands.h"
#include "nearest.h"
#include "orzatty/version.h"
#include "output.h"
#include "quic/packet_protection.h"
#include "runtime/packet_protection.h"

namespace orzatty::apps {
namespace {

constexpr std::string_view kExamples =
    "Try it, in three terminals:\n"
    "  orzatty serve --dev\n"
    "  orzatty sub 'news.>'\n"
    "  orzatty pub news.today \"Hello Orzatty\"\n\n"
    "Exit codes: 0 done, 1 failed, 2 usage, 3 refused (connection, certificate, token),\n"
    "4 incomplete.";

struct Declared {
  std::unique_ptr<Command> command;
  CLI::App* parsed_by = nullptr;
};

std::vector<Declared> declare_all(CLI::App& program) {
  std::vector<Declared> all;
  for (const auto make : {serve_command, pub_command, sub_command, req_command, reply_command,
                          fate_command, ping_command, cert_command, token_command, context_command,
                          bench_command, demo_command, lab_command}) {
    auto command = make();
    CLI::App& parser = command->declare(program);
    all.push_back({std::move(command), &parser});
  }
  return all;
}

std::string version_text() {
  const std::string encryption(quic::name_of(runtime::packet_protection()));
  return "orzatty " + std::string(kVersion) + " (protocol " + std::to_string(kProtocolVersion) +
         ", packets encrypted by " + encryption + ")";
}

// `orzatty help pub` is `orzatty pub --help`.
std::vector<std::string> words_of(int count, const char* const* words) {
  std::vector<std::string> result(words + 1, words + count);
  if (!result.empty() && result.front() == "help") {
    result.erase(result.begin());
    result.emplace_back("--help");
  }
  return result;
}

// CLI11 would call it an unexpected argument.
std::optional<std::string> unknown_command(const CLI::App& program,
                                           const std::vector<std::string>& words) {
  if (words.empty() || words.front().starts_with('-')) return std::nullopt;
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands({})) names.push_back(command->get_name());
  if (std::ranges::find(names, words.front()) != names.end()) return std::nullopt;
  std::string text = "unknown command '" + words.front() + "'";
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string_view near = nearest(words.front(), known).value_or("");
  if (edit_distance(words.front(), near) <= 2)
    text += ": did you mean '" + std::string(near) + "'?";
  return text + " (see 'orzatty --help')";
}

std::string usage_text(const CLI::App& program, const CLI::ParseError& error) {
  std::string command = "orzatty";
  for (const CLI::App* parsed : program.get_subcommands()) command += " " + parsed->get_name();
  return std::string(error.what()) + " (see '" + command + " --help')";
}

int exit_with(const Failure& failure) {
  if (!failure.text.empty()) tell(failure.text);
  return static_cast<int>(failure.code);
}

Result<void> parse_and_run(CLI::App& program, std::vector<std::string> words) {
  const auto all = declare_all(program);
  if (words.empty()) return failure(ExitCode::kUsage, "which command? see 'orzatty --help'");
  if (const auto text = unknown_command(program, words)) return failure(ExitCode::kUsage, *text);
  try {
    std::ranges::reverse(words);  // as CLI11 wants them
    program.parse(std::move(words));
  } catch (const CLI::Success& asked) {  // --help, --version
    program.exit(asked);
    return {};
  } catch (const CLI::ParseError& error) {
    return failure(ExitCode::kUsage, usage_text(program, error));
  }
  for (const Declared& declared : all) {
    if (declared.parsed_by->parsed()) return declared.command->run();
  }
  return failure(ExitCode::kUsage, "which command? see 'orzatty --help'");
}

}  // namespace

int run_program(int count, const char* const* words) {
  try {
    CLI::App program("Real-time messaging on QUIC: every message has one known fate.", "orzatty");
    program.set_version_flag("--version", version_text());
    program.require_subcommand(1);
    program.footer(std::string(kExamples));
    const auto done = parse_and_run(program, words_of(count, words));
    return done ? static_cast<int>(ExitCode::kDone) : exit_with(done.error());
  } catch (const std::exception& error) {  // out of memory, or our bug: one line all the same
    return exit_with({ExitCode::kFailed, error.what()});
  }
}

}  // namespace orzatty::apps
