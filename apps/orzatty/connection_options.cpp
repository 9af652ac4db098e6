#include "connection_options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "output.h"
#include "quic/credentials.h"

namespace orzatty::apps {
namespace {

// The options of one source. Within one there is no order: two of a kind contradict each other.
struct Source {
  Context context;
  bool insecure = false;
  std::string name;  // for errors
};

Source of_command_line(const ConnectionOptions& options) {
  return {.context = {.server = options.server,
                      .token = options.token,
                      .token_file = options.token_file,
                      .ca = options.ca,
                      .pin = options.pin},
          .insecure = options.insecure,
          .name = "the command line"};
}

Source of_environment(const Environment& environment) {
  return {.context = {.server = environment("ORZATTY_SERVER"),
                      .token = environment("ORZATTY_TOKEN"),
                      .token_file = environment("ORZATTY_TOKEN_FILE"),
                      .ca = environment("ORZATTY_CA"),
                      .pin = environment("ORZATTY_PIN")},
          .name = "the environment"};
}

Result<Source> of_state(const ConnectionOptions& options, const Environment& environment) {
  if (!options.context.empty() && !is_context_name(options.context)) {
    return failure(ExitCode::kUsage, "'" + options.context + "' is no name of a context");
  }
  const auto folder = StateFolder::locate(options.state, environment);
  if (!folder) return std::unexpected(folder.error());
  const auto path = folder->context(options.context);
  auto context = load_context(path);
  if (!context) return std::unexpected(context.error());
  if (*context) return Source{.context = **context, .name = path.string()};
  if (options.context.empty()) return Source{.context = {}, .name = path.string()};
  return failure(ExitCode::kUsage, "there is no context '" + options.context +
                                       "': 'orzatty context list' tells which there are");
}

Result<std::string> token_of(const Source& source) {
  const Context& context = source.context;
  if (!context.token.empty() && !context.token_file.empty()) {
    return failure(ExitCode::kUsage, source.name + " has both a token and a token file: keep one");
  }
  if (!context.token_file.empty()) return read_secret(context.token_file);
  return context.token;
}

Result<Trust> trust_of(const Source& source) {
  const Context& context = source.context;
  const int count =
      (source.insecure ? 1 : 0) + (context.ca.empty() ? 0 : 1) + (context.pin.empty() ? 0 : 1);
  if (count > 1) {
    return failure(ExitCode::kUsage, source.name +
                                         " says in more than one way whom to trust: "
                                         "keep one of --ca, --pin and --insecure");
  }
  if (source.insecure) return Trust::anyone_insecurely();
  if (!context.pin.empty()) {
    if (!quic::parse_fingerprint(context.pin)) {
      return failure(ExitCode::kUsage, "'" + context.pin +
                                           "' is no pin: it has 64 hexadecimal digits, as "
                                           "'orzatty cert pin' prints them");
    }
    return Trust::pinned(context.pin);
  }
  if (context.ca.empty()) return Trust::system();
  auto pem = read_text(context.ca, 4 * kSecretSizeMax);
  if (!pem) return std::unexpected(pem.error());
  return Trust::authorities(std::move(*pem));
}

}  // namespace

void declare_connection(CLI::App& command, ConnectionOptions& options) {
  const auto add = [&](const char* name, std::string& value, const char* text) {
    command.add_option(name, value, text)->group("Connection");
  };
  add("--server", options.server, "HOST:PORT of the server [ORZATTY_SERVER]");
  add("--token", options.token, "Who you are; --token-file keeps it out of ps [ORZATTY_TOKEN]");
  add("--token-file", options.token_file, "File with the token [ORZATTY_TOKEN_FILE]");
  add("--ca", options.ca, "Trust certificates signed by those in this PEM file [ORZATTY_CA]");
  add("--pin", options.pin, "Trust only the certificate with this SHA-256 [ORZATTY_PIN]");
  command
      .add_flag("--insecure", options.insecure,
                "Trust anybody: whoever stands between reads and changes everything")
      ->group("Connection");
  add("--state", options.state, "Folder with saved contexts [ORZATTY_STATE]");
  add("--context", options.context, "Name of a saved context ('orzatty context save')");
  command
      .add_option("--connect-timeout", options.connect_timeout, "Seconds to wait for the server")
      ->check(CLI::Range(0.01, 3600.0))
      ->group("Connection");
}

void declare_message_size(CLI::App& command, ConnectionOptions& options) {
  constexpr std::uint32_t kOutboxSizeMax = 31 * 1024 * 1024;  // which a message has to fit
  command
      .add_option("--message-size-max", options.message_size_max,
                  "Bytes of the largest message; the server's own limit counts too (1048576)")
      ->check(CLI::Range(std::uint32_t{1}, kOutboxSizeMax))
      ->group("Connection");
}

std::string_view message_size_advice(ErrorCode code) {
  const bool too_large =
      code == ErrorCode::kFrameTooLarge || code == ErrorCode::kMessageTooLarge;
  return too_large ? ": raise it with --message-size-max" : "";
}

Limits limits_for(std::uint32_t message_size_max) {
  Limits limits;
  limits.message_size_max = message_size_max;
  for (std::uint32_t Limits::* room : {&Limits::outbox_size_max, &Limits::stream_window,
                                       &Limits::stream_window_max, &Limits::connection_window,
                                       &Limits::reassembly_size_max}) {
    limits.*room = std::max(limits.*room, message_size_max);
  }
  return limits;
}

Result<Target> target_of(const ConnectionOptions& options, const Environment& environment) {
  std::vector<Source> sources = {of_command_line(options), of_environment(environment)};
  auto saved = of_state(options, environment);
  if (!saved) return std::unexpected(saved.error());
  Target target;
  for (const Source& source : sources) {
    if (target.server.empty()) target.server = source.context.server;
  }
  // A context's token belongs to its server: nobody else is shown it.
  if (target.server.empty() || target.server == saved->context.server) {
    target.server = saved->context.server;
    sources.push_back(std::move(*saved));
  }
  if (target.server.empty()) {
    return failure(ExitCode::kUsage,
                   "which server? give --server HOST:PORT, or start one here "
                   "with 'orzatty serve --dev' (no " +
                       saved->name + ")");
  }
  for (const Source& source : sources) {
    if (target.token.empty()) {
      auto token = token_of(source);
      if (!token) return std::unexpected(token.error());
      target.token = std::move(*token);
    }
    if (target.trust.kind == Trust::Kind::kSystem) {
      auto trust = trust_of(source);
      if (!trust) return std::unexpected(trust.error());
      target.trust = std::move(*trust);
    }
  }
  return target;
}

Result<Client> connect(const ConnectionOptions& options, ClientOptions client,
                       Interruption& interruption) {
  auto target = target_of(options, process_environment());
  if (!target) return std::unexpected(target.error());
  if (target->trust.kind == Trust::Kind::kAnyone) {
    tell("WARNING: --insecure trusts anybody who answers at " + target->server);
  }
  client.token = std::move(target->token);
  client.trust = std::move(target->trust);
  client.limits = limits_for(options.message_size_max);
  client.agent = "orzatty-cli";
  client.connect_timeout =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options.connect_timeout));
  interruption.on_first([] { ::_exit(static_cast<int>(ExitCode::kIncomplete)); });
  auto session = Client::connect(target->server, std::move(client));
  interruption.on_first({});
  if (!session) return std::unexpected(refusal_of(session.error()));
  return std::move(*session);
}

}  // namespace orzatty::apps
