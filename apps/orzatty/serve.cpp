#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "config.h"
#include "context.h"
#include "development.h"
#include "event_counts.h"
#include "event_log.h"
#include "interruption.h"
#include "memory_ceiling.h"
#include "metrics_endpoint.h"
#include "metrics_text.h"
#include "net/clock.h"
#include "orzatty/server.h"
#include "output.h"
#include "process_figures.h"
#include "quantity.h"
#include "quic/credentials.h"
#include "state_folder.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  orzatty serve --dev                       everything made here, for this machine\n"
    "  orzatty serve --dev --listen 0.0.0.0:5000 and for others, who need the pin and token\n"
    "  orzatty serve --config orzatty.toml\n"
    "  orzatty serve --config orzatty.toml --check\n\n"
    "A configuration file:\n"
    "  listen = [\"0.0.0.0:5000\", \"[::]:5000\"]\n"
    "  certificate = \"server.pem\"\n"
    "  key = \"server.key\"\n"
    "  secret_file = \"server.secret\"             # 'orzatty token make' makes one\n"
    "  tokens = [{identity = \"alice\", token_file = \"alice.token\"}]\n"
    "  [limits]\n"
    "  message_size_max = 4194304\n"
    "  stream_window = 4194304\n"
    "  outbox_size_max = 4194304\n"
    "  [[channel]]\n"
    "  pattern = \"quotes.>\"\n"
    "  mode = \"latest\"                           # the newest value of each key is kept\n\n"
    "Ctrl-C stops it gracefully, a second one at once.";

struct ServeOptions {
  bool dev = false;
  std::string listen;
  std::string state;
  std::string config;
  std::string metrics;
  std::vector<std::string> metrics_hosts;
  bool check = false;
  bool busy_poll = false;
  bool quiet = false;
  bool show_token = false;
};

// All that a server is made from, wherever it came from.
struct Plan {
  Config config;
  Certificate certificate;
  std::string pin;
  std::int64_t certificate_expires = 0;  // Unix seconds
  std::optional<StateFolder> folder;     // with --dev
  std::string dev_token;
};

Result<void> use_development(const std::string& state, Plan& plan) {
  auto folder = StateFolder::locate(state, process_environment());
  if (!folder) return std::unexpected(folder.error());
  auto made = prepare_development(*folder, net::unix_seconds());
  if (!made) return std::unexpected(made.error());
  plan.config.tokens.push_back({.identity = "dev", .token = made->token});
  plan.dev_token = std::move(made->token);
  if (plan.config.certificate.empty()) plan.certificate = std::move(made->certificate);
  if (plan.config.secret.empty()) plan.config.secret = std::move(made->secret);
  plan.folder = std::move(*folder);
  return {};
}

Result<Plan> plan_of(const ServeOptions& options) {
  if (!options.dev && options.config.empty()) {
    return failure(ExitCode::kUsage,
                   "which certificate and tokens? give --config FILE.toml, or --dev to have them "
                   "made for this machine");
  }
  Plan plan;
  if (!options.config.empty()) {
    auto config = load_config(options.config);
    if (!config) return std::unexpected(config.error());
    plan.config = std::move(*config);
  }
  if (!options.listen.empty()) plan.config.listen = options.listen;
  if (plan.config.listen.empty()) plan.config.listen = "localhost:5000";
  if (!options.metrics.empty()) plan.config.metrics = options.metrics;
  plan.config.metrics_hosts.insert(plan.config.metrics_hosts.end(), options.metrics_hosts.begin(),
                                   options.metrics_hosts.end());
  plan.config.busy_poll = plan.config.busy_poll || options.busy_poll;
  if (!plan.config.certificate.empty()) {
    auto certificate =
        Certificate::load(plan.config.certificate.string(), plan.config.key.string());
    if (!certificate) return failure(ExitCode::kFailed, certificate.error().text);
    plan.certificate = std::move(*certificate);
  }
  if (options.dev) {
    if (auto used = use_development(options.state, plan); !used) {
      return std::unexpected(used.error());
    }
  }
  if (plan.certificate.chain_pem.empty() || plan.config.tokens.empty()) {
    return failure(ExitCode::kUsage, options.config + " states no " +
                                         (plan.config.tokens.empty() ? "tokens" : "certificate") +
                                         ": nobody could connect");
  }
  const auto facts = quic::read_certificate(plan.certificate.chain_pem);
  if (!facts) return failure(ExitCode::kFailed, facts.error().text);
  plan.pin = quic::hex(facts->fingerprint);
  plan.certificate_expires = facts->not_after;
  return plan;
}

// What a client on this machine connects to: nobody can connect to "any address".
std::string reachable(std::string address) {
  if (address.starts_with("0.0.0.0:")) return "127.0.0.1" + address.substr(7);
  if (address.starts_with("[::]:")) return "[::1]" + address.substr(4);
  return address;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) (all += all.empty() ? "" : ", ") += text;
  return all;
}

std::string text_of_channel(const ChannelConfig& config) {
  std::string text = "keeps ";
  if (config.retention.count > 0) text += std::to_string(config.retention.count) + " messages, ";
  if (config.retention.bytes > 0) {
    text += text_of_size(static_cast<double>(config.retention.bytes)) + ", ";
  }
  if (config.retention.age > Duration::zero()) {
    text += text_of_duration(config.retention.age) + ", ";
  }
  if (config.mode != DeliveryMode::kReliable) text = std::string(name(config.mode)) + ", " + text;
  if (config.mode == DeliveryMode::kLatest) return text + "and the newest value of each key";
  return text + "slow subscribers: " + std::string(name(config.slow_policy));
}

Result<void> print_check(const Plan& plan) {
  const Config& config = plan.config;
  const MemoryCeiling ceiling =
      memory_ceiling(config.limits, config.channel_default, config.channels);
  Output output;
  output.write_line("listen       " + config.listen);
  if (!config.metrics.empty()) output.write_line("metrics      " + config.metrics);
  output.write_line("pin          " + plan.pin);
  output.write_line("tokens       " + std::to_string(config.tokens.size()));
  for (const NamedToken& token : config.tokens) output.write_line("  identity   " + token.identity);
  output.write_line("channels     " + text_of_channel(config.channel_default));
  for (const ChannelRule& rule : config.channels) {
    output.write_line("  " + std::string(rule.pattern.text()) + "  " +
                      text_of_channel(rule.config));
  }
  output.write_line("messages     at most " +
                    text_of_size(static_cast<double>(config.limits.message_size_max)));
  output.write_line("memory       at most, if all of it were used at once: " +
                    text_of_size(ceiling.total()));
  output.write_line("  strangers    " + text_of_size(ceiling.half_open));
  output.write_line("  connections  " + text_of_size(ceiling.connections) + " (" +
                    std::to_string(config.limits.connection_count_max) + " of " +
                    text_of_size(ceiling.connection) + ")");
  output.write_line("  channels     " + text_of_size(ceiling.named_channels + ceiling.channels) +
                    " (" + std::to_string(config.limits.channel_count_max) + " of up to " +
                    text_of_size(ceiling.channel) + ")");
  output.write_line("  besides      " + text_of_size(ceiling.besides) +
                    " (waiting sessions, requests, refusals, channels that hold nothing)");
  return output.flush();
}

class ServeCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  Result<void> serve(const Plan& plan, Interruption& interruption);
  Result<void> save_development_context(const Plan& plan, const Server& server) const;
  void print_start(const Plan& plan, const Server& server, const MetricsEndpoint* metrics) const;

  void handle_event(const ServerEvent& event);
  [[nodiscard]] Figures figures_of(const Plan& plan, const Server& server) const;

  ServeOptions options_;
  EventLog log_;
  EventCounts events_;
  std::uint64_t left_behind_ = 0;  // peers that did not get all that was accepted
  std::atomic<Readiness> readiness_{Readiness::kStarting};
};

CLI::App& ServeCommand::declare(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("serve", "Run the hub");
  command.footer(kExamples);
  command.add_flag("--dev", options_.dev,
                   "Make a certificate and a token in the state folder, and a context that the "
                   "other commands find");
  command.add_option("--listen", options_.listen,
                     "HOST:PORT, or several with commas (localhost:5000)");
  command.add_option("--state", options_.state, "State folder of --dev [ORZATTY_STATE]");
  command.add_option("--config", options_.config, "Configuration file (TOML)");
  command.add_option("--metrics", options_.metrics, "HOST:PORT for Prometheus, by HTTP");
  command.add_option("--metrics-host", options_.metrics_hosts,
                     "A name by which scrapers may ask for the metrics, besides this machine's "
                     "addresses");
  command.add_flag("--check", options_.check, "Only say what would be used");
  command.add_flag("--busy-poll", options_.busy_poll,
                   "Never sleep: burns a core for a few microseconds less");
  command.add_flag("--show-token", options_.show_token, "Print the token of --dev");
  command.add_flag("-q,--quiet", options_.quiet, "No log of peers");
  return command;
}

Result<void> ServeCommand::run() {
  const auto plan = plan_of(options_);
  if (!plan) return std::unexpected(plan.error());
  if (options_.check) return print_check(*plan);
  auto interruption = Interruption::watch(ExitCode::kIncomplete);
  if (!interruption) return std::unexpected(interruption.error());
  return serve(*plan, **interruption);
}

Result<void> ServeCommand::serve(const Plan& plan, Interruption& interruption) {
  ServerOptions server_options = {.certificate = plan.certificate,
                                  .authenticate = named_tokens(plan.config.tokens),
                                  .channels = plan.config.channels,
                                  .channel_default = plan.config.channel_default,
                                  .limits = plan.config.limits,
                                  .secret = plan.config.secret,
                                  .busy_poll = plan.config.busy_poll,
                                  .on_event = [this](const auto& event) { handle_event(event); }};
  auto server = Server::bind(plan.config.listen, std::move(server_options));
  if (!server) {
    const bool usage = server.error().kind == ErrorKind::kArgument;
    return failure(usage ? ExitCode::kUsage : ExitCode::kFailed, server.error().text);
  }
  std::unique_ptr<MetricsEndpoint> metrics;
  if (!plan.config.metrics.empty()) {
    auto opened =
        MetricsEndpoint::open(plan.config.metrics, plan.config.metrics_hosts,
                              {.metrics = [&] { return metrics_text(figures_of(plan, *server)); },
                               .readiness = [this] { return readiness_.load(); }});
    if (!opened) return std::unexpected(opened.error());
    metrics = std::move(*opened);
  }
  if (auto saved = save_development_context(plan, *server); !saved) return saved;
  print_start(plan, *server, metrics.get());
  readiness_ = Readiness::kReady;
  interruption.on_first([&] {
    readiness_ = Readiness::kDraining;
    server->stop();
  });
  const auto served = server->run();
  interruption.on_first({});
  if (!served) return failure(ExitCode::kFailed, served.error().text);
  if (left_behind_ > 0) {
    return failure(ExitCode::kIncomplete,
                   "stopped before " + std::to_string(left_behind_) +
                       (left_behind_ == 1 ? " peer" : " peers") +
                       " had all that was accepted: a longer drain_timeout waits longer for them");
  }
  return {};
}

void ServeCommand::handle_event(const ServerEvent& event) {
  if (event.kind == ServerEvent::Kind::kPeerLeftBehind) ++left_behind_;
  events_.count(event);
  if (!options_.quiet) log_.write(event);
}

Figures ServeCommand::figures_of(const Plan& plan, const Server& server) const {
  Figures figures = {.stats = server.stats(),
                     .events = events_.counted(),
                     .process = process_figures(),
                     .limits = plan.config.limits,
                     .certificate_expires = plan.certificate_expires};
  for (const ChannelRule& rule : plan.config.channels) {
    figures.patterns.emplace_back(rule.pattern.text());
  }
  return figures;
}

Result<void> ServeCommand::save_development_context(const Plan& plan, const Server& server) const {
  if (!plan.folder) return {};
  const Context context = {.server = reachable(server.addresses().front()),
                           .token = plan.dev_token,
                           .token_file = {},
                           .ca = {},
                           .pin = plan.pin};
  return save_context(plan.folder->context({}), context);
}

void ServeCommand::print_start(const Plan& plan, const Server& server,
                               const MetricsEndpoint* metrics) const {
  Output output;
  if (plan.folder) {
    output.write_line("pin          " + plan.pin);
    output.write_line("token        " + (options_.show_token
                                             ? plan.dev_token
                                             : "in " + plan.folder->token().string()));
    output.write_line("try          orzatty pub " +
                      (options_.state.empty() ? "" : "--state " + options_.state + " ") +
                      "news.today \"Hello Orzatty\"");
  }
  if (metrics != nullptr) {
    output.write_line("metrics      http://" + metrics->addresses().front() + "/metrics");
  }
  output.write_line("listening on " + joined(server.addresses()));
  (void)output.flush();  // A server serves, whether or not somebody reads this.
}

}  // namespace

std::unique_ptr<Command> serve_command() { return std::make_unique<ServeCommand>(); }

}  // namespace orzatty::apps
