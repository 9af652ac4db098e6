#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/utf8.h"
#include "commands.h"
#include "connection_options.h"
#include "encoding.h"
#include "escape.h"
#include "interruption.h"
#include "net/clock.h"
#include "orzatty/channel.h"
#include "orzatty/client.h"
#include "output.h"
#include "quantity.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  orzatty req time \"what time is it?\"\n"
    "  orzatty req jobs.resize \"cat.jpg\" --timeout 60 --json\n\n"
    "Somebody has to answer, such as 'orzatty reply time --command date'.\n"
    "Exit code 0 means that the reply came; 1 that there was none: nobody is there to answer, or\n"
    "nobody did in time.";

struct ReqOptions {
  ConnectionOptions connection;
  std::string channel;
  std::string text;
  bool is_text = false;
  double timeout = 5;  // seconds
  bool json = false;
};

void print_json(const ReqOptions& options, const Reply& reply, Duration time, Output& output) {
  nlohmann::ordered_json json = {{"channel", options.channel}, {"responder", reply.responder}};
  if (base::is_utf8(reply.payload)) {
    json["text"] = reply.text();
  } else {
    json["base64"] = base64(reply.payload);
  }
  json["seconds"] = seconds(time);
  output.write_line(json.dump());
}

class ReqCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  ReqOptions options_;
};

CLI::App& ReqCommand::declare(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("req", "Send a request and print the reply");
  command.footer(kExamples);
  command.add_option("CHANNEL", options_.channel, "Name such as time, or a number")->required();
  command.add_option("TEXT", options_.text, "The request; without one it is empty");
  command.add_flag("--text", options_.is_text, "State that it is UTF-8, which the server checks");
  command.add_option("--timeout", options_.timeout, "Seconds to wait for the reply")
      ->check(CLI::Range(0.001, seconds(Limits{}.request_timeout_max)))
      ->capture_default_str();
  command.add_flag("--json", options_.json, "Print the reply as JSON");
  declare_connection(command, options_.connection);
  declare_message_size(command, options_.connection);
  return command;
}

Result<void> ReqCommand::run() {
  if (!ChannelName::parse(options_.channel)) {
    return failure(ExitCode::kUsage, "'" + options_.channel + "' is no channel name");
  }
  auto interruption = Interruption::watch(ExitCode::kIncomplete);
  if (!interruption) return std::unexpected(interruption.error());
  auto client = connect(options_.connection, {}, **interruption);
  if (!client) return std::unexpected(client.error());
  (*interruption)->on_first([&] { (void)client->close(Duration::zero()); });
  const Instant began = net::now();
  const Payload asked = options_.is_text ? Payload::text(options_.text) : Payload(options_.text);
  const auto timeout =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options_.timeout));
  const auto reply = client->request(options_.channel, asked, timeout);
  const Duration time = net::now() - began;
  (*interruption)->on_first({});
  if (!reply && (*interruption)->happened()) {
    return failure(ExitCode::kIncomplete, "interrupted before a reply came");
  }
  if (!reply) {
    const bool is_usage = reply.error().kind == ErrorKind::kArgument;
    return failure(is_usage ? ExitCode::kUsage : ExitCode::kFailed,
                   reply.error().text + std::string(message_size_advice(reply.error().code)));
  }
  Output output;
  if (options_.json) {
    print_json(options_, *reply, time, output);
  } else {
    output.write_line(is_terminal(1) ? escaped(reply->text()) : std::string(reply->text()));
  }
  const auto written = output.flush();
  (void)client->close(std::chrono::seconds(1));
  return written;
}

}  // namespace

std::unique_ptr<Command> req_command() { return std::make_unique<ReqCommand>(); }

}  // namespace orzatty::apps
