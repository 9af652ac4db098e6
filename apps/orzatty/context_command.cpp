#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "commands.h"
#include "context.h"
#include "output.h"
#include "quic/credentials.h"
#include "state_folder.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  orzatty context save office --server hub.example.org:5000 --token-file office.token\n"
    "  orzatty pub --context office news.today \"Hello\"\n"
    "  orzatty context list";

class ContextCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  Result<void> save(const StateFolder& folder);
  Result<void> list(const StateFolder& folder) const;
  Result<void> remove(const StateFolder& folder) const;

  std::string state_;
  std::string name_;
  Context context_;
  bool json_ = false;
  CLI::App* save_ = nullptr;
  CLI::App* list_ = nullptr;
};

CLI::App& ContextCommand::declare(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("context", "Save servers under a name");
  command.footer(kExamples);
  command.require_subcommand(1);
  save_ = command.add_subcommand("save", "Save a server, its token and whom to trust");
  save_->add_option("--server", context_.server, "HOST:PORT")->required();
  CLI::Option* token = save_->add_option("--token", context_.token, "Who you are");
  save_->add_option("--token-file", context_.token_file, "File with the token")->excludes(token);
  CLI::Option* ca = save_->add_option("--ca", context_.ca, "PEM file with trusted authorities");
  save_->add_option("--pin", context_.pin, "SHA-256 of the server's certificate")->excludes(ca);
  list_ = command.add_subcommand("list", "All saved contexts");
  list_->add_flag("--json", json_, "Print them as JSON");
  CLI::App* remove = command.add_subcommand("remove", "Forget one");
  for (CLI::App* one : {save_, remove}) {
    one->add_option("NAME", name_, "Letters, digits, - _ and .")->required();
  }
  for (CLI::App* one : {save_, list_, remove}) {
    one->add_option("--state", state_, "State folder [ORZATTY_STATE]");
    one->footer(kExamples);
  }
  return command;
}

Result<void> ContextCommand::run() {
  const auto folder = StateFolder::locate(state_, process_environment());
  if (!folder) return std::unexpected(folder.error());
  if (list_->parsed()) return list(*folder);
  if (!is_context_name(name_)) {
    return failure(ExitCode::kUsage,
                   "'" + name_ + "' cannot name a context: use letters, digits, - _ and .");
  }
  return save_->parsed() ? save(*folder) : remove(*folder);
}

Result<void> ContextCommand::save(const StateFolder& folder) {
  if (!context_.pin.empty() && !quic::parse_fingerprint(context_.pin)) {
    return failure(ExitCode::kUsage, "'" + context_.pin + "' is no pin: it has 64 hex digits");
  }
  std::error_code error;  // a path that cannot be made absolute stays as it is
  for (std::string* path : {&context_.ca, &context_.token_file}) {
    if (!path->empty()) *path = std::filesystem::absolute(*path, error).string();
  }
  if (auto made = folder.make(); !made) return made;
  return save_context(folder.context(name_), context_);
}

Result<void> ContextCommand::list(const StateFolder& folder) const {
  Output output;
  auto all = nlohmann::ordered_json::array();
  std::vector<std::string> names = folder.context_names();
  names.insert(names.begin(), "");  // that of `serve --dev`, if it was made
  for (const std::string& name : names) {
    const auto context = load_context(folder.context(name));
    if (!context) return std::unexpected(context.error());
    if (!*context) continue;
    all.push_back({{"name", name}, {"server", (*context)->server}});
    if (!json_) output.write_line((name.empty() ? "(default)" : name) + "\t" + (*context)->server);
  }
  if (json_) {
    output.write_line(all.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }
  return output.flush();
}

Result<void> ContextCommand::remove(const StateFolder& folder) const {
  std::error_code error;
  if (std::filesystem::remove(folder.context(name_), error)) return {};
  return failure(ExitCode::kFailed,
                 "there is no context '" + name_ + "' to remove in " + folder.path().string());
}

}  // namespace

std::unique_ptr<Command> context_command() { return std::make_unique<ContextCommand>(); }

}  // namespace orzatty::apps
