#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "commands.h"
#include "development.h"
#include "output.h"
#include "state_folder.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  orzatty token make\n"
    "  orzatty token make --file alice.token   for --token-file and for a server's token_file";

class TokenCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override {
    CLI::App& command = *program.add_subcommand("token", "Make tokens");
    command.footer(kExamples);
    command.require_subcommand(1);
    CLI::App* make = command.add_subcommand("make", "Make a token that nobody guesses");
    make->add_option("--file", file_, "Write it there, readable for you alone, and print nothing");
    make->footer(kExamples);
    return command;
  }

  Result<void> run() override {
    const std::string token = make_token();
    if (!file_.empty()) return write_secret(file_, token + "\n");
    Output output;
    output.write_line(token);
    return output.flush();
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> token_command() { return std::make_unique<TokenCommand>(); }

}  // namespace orzatty::apps
