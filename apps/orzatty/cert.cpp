#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "commands.h"
#include "development.h"
#include "net/clock.h"
#include "output.h"
#include "quic/credentials.h"
#include "state_folder.h"
#include "utc.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  orzatty cert make              certificate.pem and key.pem in the state folder\n"
    "  orzatty cert show              names, dates and pin of that certificate\n"
    "  orzatty cert pin server.pem    what a client gives to --pin";

struct CertOptions {
  std::string state;
  std::string file;
  bool force = false;
  bool json = false;
};

class CertCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  Result<void> make(Output& output) const;
  Result<void> show(Output& output) const;
  Result<void> pin(Output& output) const;
  // Of the file given, or of the state folder.
  Result<quic::CertificateFacts> facts() const;

  CertOptions options_;
  CLI::App* make_ = nullptr;
  CLI::App* show_ = nullptr;
};

CLI::App& CertCommand::declare(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("cert", "Make and look at certificates");
  command.footer(kExamples);
  command.require_subcommand(1);
  make_ = command.add_subcommand(
      "make", "Make a certificate for localhost, 127.0.0.1 and ::1, valid for 14 days");
  make_->add_flag("--force", options_.force, "Replace the one that is there");
  show_ = command.add_subcommand("show", "Names, dates and pin of a certificate");
  show_->add_flag("--json", options_.json, "Print it as JSON");
  CLI::App* pin = command.add_subcommand("pin", "The SHA-256 that a client gives to --pin");
  for (CLI::App* one : {show_, pin}) {
    one->add_option("FILE", options_.file, "PEM file; without one that of the state folder");
  }
  for (CLI::App* one : {make_, show_, pin}) {
    one->add_option("--state", options_.state, "State folder [ORZATTY_STATE]");
    one->footer(kExamples);
  }
  return command;
}

Result<void> CertCommand::run() {
  Output output;
  const auto done = make_->parsed() ? make(output) : show_->parsed() ? show(output) : pin(output);
  if (!done) return done;
  return output.flush();
}

Result<void> CertCommand::make(Output& output) const {
  const auto folder = StateFolder::locate(options_.state, process_environment());
  if (!folder) return std::unexpected(folder.error());
  std::error_code error;
  if (!options_.force && std::filesystem::exists(folder->certificate(), error)) {
    return failure(ExitCode::kFailed, folder->certificate().string() +
                                          " exists: --force replaces it, and clients that pinned "
                                          "it will refuse the new one");
  }
  if (auto made = folder->make(); !made) return made;
  const auto certificate = make_certificate(*folder);
  if (!certificate) return std::unexpected(certificate.error());
  const auto pin = certificate->pin();
  if (!pin) return failure(ExitCode::kFailed, pin.error().text);
  output.write_line("certificate " + folder->certificate().string());
  output.write_line("key         " + folder->key().string());
  output.write_line("pin         " + *pin);
  return {};
}

Result<quic::CertificateFacts> CertCommand::facts() const {
  std::filesystem::path path = options_.file;
  if (options_.file.empty()) {
    const auto folder = StateFolder::locate(options_.state, process_environment());
    if (!folder) return std::unexpected(folder.error());
    path = folder->certificate();
  }
  const auto pem = read_text(path, kSecretSizeMax);
  if (!pem) return std::unexpected(pem.error());
  auto facts = quic::read_certificate(*pem);
  if (!facts) return failure(ExitCode::kFailed, path.string() + ": " + facts.error().text);
  return std::move(*facts);
}

Result<void> CertCommand::show(Output& output) const {
  const auto certificate = facts();
  if (!certificate) return std::unexpected(certificate.error());
  const std::string pin = quic::hex(certificate->fingerprint);
  if (options_.json) {
    const nlohmann::ordered_json json = {
        {"subject", certificate->subject},          {"names", certificate->names},
        {"key", certificate->key_algorithm},        {"not_before", utc(certificate->not_before)},
        {"not_after", utc(certificate->not_after)}, {"pin", pin}};
    output.write_line(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return {};
  }
  std::string names;
  for (const std::string& name : certificate->names) names += (names.empty() ? "" : ", ") + name;
  const bool expired = certificate->not_after < net::unix_seconds();
  output.write_line("subject     " + certificate->subject);
  output.write_line("names       " + names);
  output.write_line("key         " + certificate->key_algorithm);
  output.write_line("not before  " + utc(certificate->not_before));
  output.write_line("not after   " + utc(certificate->not_after) + (expired ? " (expired)" : ""));
  output.write_line("pin         " + pin);
  return {};
}

Result<void> CertCommand::pin(Output& output) const {
  const auto certificate = facts();
  if (!certificate) return std::unexpected(certificate.error());
  output.write_line(quic::hex(certificate->fingerprint));
  return {};
}

}  // namespace

std::unique_ptr<Command> cert_command() { return std::make_unique<CertCommand>(); }

}  // namespace orzatty::apps
