// The sub-commands of the program. Each declares its options, which refer to the object itself, and
// runs with them once they were parsed.
#pragma once

#include <memory>
#include <vector>

#include "failure.h"

namespace CLI {
class App;
}

namespace orzatty::apps {

class Command {
 public:
  virtual ~Command() = default;
  // Gives the sub-command, which belongs to `program`.
  virtual CLI::App& declare(CLI::App& program) = 0;
  virtual Result<void> run() = 0;
};

std::unique_ptr<Command> serve_command();
std::unique_ptr<Command> pub_command();
std::unique_ptr<Command> sub_command();
std::unique_ptr<Command> req_command();
std::unique_ptr<Command> reply_command();
std::unique_ptr<Command> fate_command();
std::unique_ptr<Command> ping_command();
std::unique_ptr<Command> cert_command();
std::unique_ptr<Command> token_command();
std::unique_ptr<Command> context_command();
std::unique_ptr<Command> demo_command();
std::unique_ptr<Command> bench_command();
std::unique_ptr<Command> lab_command();

// Parses, runs, and tells what went wrong: all of main() but its name.
int run_program(int count, const char* const* words);

}  // namespace orzatty::apps
