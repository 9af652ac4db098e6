#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "connection_options.h"
#include "interruption.h"
#include "message_text.h"
#include "net/clock.h"
#include "orzatty/channel.h"
#include "orzatty/client.h"
#include "output.h"
#include "quantity.h"
#include "start_position.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  orzatty sub news.today\n"
    "  orzatty sub 'quotes.*' 'news.>' --format json\n"
    "  orzatty sub log.lines --from start --count 1000\n"
    "  orzatty sub backup --format raw >disk.img          bytes with nothing added\n\n"
    "--from: live is the next message, latest the newest kept one and what follows, last:N the\n"
    "newest N, start all that is kept, offset:N from that position.\n"
    "With a wildcard or several names, text shows the channel first. Messages that were missed "
    "are\n"
    "told on standard error, and then the exit code is 4.";

struct SubOptions {
  ConnectionOptions connection;
  std::vector<std::string> names;
  std::uint64_t count = 0;  // 0 is no end
  std::string from = "live";
  std::string format = "text";
  double timeout = 0;  // seconds; 0 is none
  bool verbose = false;
};

// What arrives, written out in the one thread of this command.
class Listener {
 public:
  Listener(std::uint64_t count, MessageText text) : count_max_(count), text_(text) {}

  void handle(const Message& message) {
    if (is_done()) return;  // More may come in the same batch than was asked for.
    ++count_;
    text_.append(message, output_);
  }
  void handle_gap(std::string_view channel, const Gap& gap) {
    has_gaps_ = true;
    tell("missed " + std::to_string(gap.to - gap.from) + " messages of " + std::string(channel) +
         ", offsets " + std::to_string(gap.from.value()) + " to " +
         std::to_string(gap.to.value() - 1) + ": " + std::string(name(gap.reason)));
  }
  void handle_reset(std::string_view channel) {
    tell("the log of " + std::string(channel) + " began anew: offsets start again");
  }
  // The server ended a subscription.
  void handle_end(const Error& error) {
    if (error.code != ErrorCode::kNone) ended_ = failure_of(error);
  }
  void handle_state(const StateEvent& event) {
    switch (event.state) {
      case ConnectionState::kConnected:
        if (was_lost_) tell("connected again");
        was_lost_ = false;
        return;
      case ConnectionState::kReconnecting:
        was_lost_ = true;
        tell("the connection is lost, connecting again: " + event.text);
        return;
      case ConnectionState::kDraining:
        tell("the server is going away");
        return;
      case ConnectionState::kClosed:
        closed_ = event;
        return;
    }
  }

  [[nodiscard]] bool is_done() const { return count_max_ > 0 && count_ >= count_max_; }
  // Nothing more can come: the reader is gone, or the server ended it.
  [[nodiscard]] bool has_ended() const {
    return output_.is_broken() || ended_.has_value() || closed_.has_value();
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  Output& output() { return output_; }
  Result<void> result();

 private:
  std::uint64_t count_max_;
  MessageText text_;
  Output output_;
  std::uint64_t count_ = 0;
  bool has_gaps_ = false;
  bool was_lost_ = false;
  std::optional<Failure> ended_;
  std::optional<StateEvent> closed_;
};

Result<void> Listener::result() {
  if (auto written = output_.flush(); !written) return written;
  if (!is_done() && ended_) return std::unexpected(*ended_);
  if (!is_done() && closed_) {
    const bool refused = closed_->code == ErrorCode::kAuthenticationFailed;
    return failure(refused ? ExitCode::kRefused : ExitCode::kFailed,
                   "the session has ended: " + closed_->text +
                       std::string(message_size_advice(closed_->code)));
  }
  if (count_max_ > 0 && !is_done()) {
    return failure(ExitCode::kIncomplete,
                   std::to_string(count_) + " of " + std::to_string(count_max_) + " messages came");
  }
  if (has_gaps_) return failure(ExitCode::kIncomplete, "some messages were missed, as told above");
  return {};
}

class SubCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  Result<std::vector<Subscription>> subscribe_all(Client& client, StartPosition from,
                                                  Listener& listener) const;
  void listen(Client& client, const Interruption& interruption, Listener& listener) const;
  [[nodiscard]] MessageText message_text(MessageText::Format format) const;

  SubOptions options_;
};

CLI::App& SubCommand::declare(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("sub", "Receive the messages of channels");
  command.footer(kExamples);
  command
      .add_option("NAME", options_.names, "Channels; * stands for one word, a last > for the rest")
      ->required();
  command.add_option("-n,--count", options_.count, "End after N messages in total")
      ->check(CLI::PositiveNumber);
  command.add_option("--from", options_.from, "live, latest, start, last:N or offset:N");
  command.add_option("--format", options_.format, "text, hex, json or raw");
  command.add_flag_callback("--json", [this] { options_.format = "json"; }, "As --format json");
  command.add_option("--timeout", options_.timeout, "End after so many seconds")
      ->check(CLI::Range(0.001, 1e9));
  command.add_flag("-v,--verbose", options_.verbose, "Tell when it is subscribed");
  declare_connection(command, options_.connection);
  declare_message_size(command, options_.connection);
  return command;
}

MessageText SubCommand::message_text(MessageText::Format format) const {
  const bool several =
      options_.names.size() > 1 || ChannelPattern::parse(options_.names.front())->has_wildcard();
  return {
      .format = format,
      .channel = several ? MessageText::Channel::kShown : MessageText::Channel::kHidden,
      .reader = is_terminal(1) ? MessageText::Reader::kTerminal : MessageText::Reader::kProgram};
}

Result<void> SubCommand::run() {
  for (const std::string& name : options_.names) {
    if (!ChannelPattern::parse(name)) {
      return failure(ExitCode::kUsage, "'" + name + "' is no channel name or pattern");
    }
  }
  const auto from = parse_start_position(options_.from);
  if (!from) return std::unexpected(from.error());
  const auto format = parse_format(options_.format);
  if (!format) return std::unexpected(format.error());
  auto interruption = Interruption::watch(ExitCode::kIncomplete);
  if (!interruption) return std::unexpected(interruption.error());

  Listener listener(options_.count, message_text(*format));
  // With poll() all happens in this thread: no lock, and the buffer is written when nothing is
  // left.
  ClientOptions client_options;
  client_options.drive = Drive::kPoll;
  client_options.on_state = [&](const StateEvent& event) { listener.handle_state(event); };
  auto client = connect(options_.connection, std::move(client_options), **interruption);
  if (!client) return std::unexpected(client.error());
  auto subscriptions = subscribe_all(*client, *from, listener);
  if (!subscriptions) return std::unexpected(subscriptions.error());
  listen(*client, **interruption, listener);
  auto result = listener.result();
  (void)client->close(std::chrono::seconds(1));
  return result;
}

Result<std::vector<Subscription>> SubCommand::subscribe_all(Client& client, StartPosition from,
                                                            Listener& listener) const {
  std::vector<Subscription> subscriptions;
  for (const std::string& name : options_.names) {
    auto subscription = client.subscribe(
        name, [&](const Message& message) { listener.handle(message); },
        {.from = from,
         .on_gap = [&](std::string_view channel,
                       const Gap& gap) { listener.handle_gap(channel, gap); },
         .on_reset = [&](std::string_view channel) { listener.handle_reset(channel); },
         .on_end = [&](const Error& error) { listener.handle_end(error); }});
    if (!subscription) return std::unexpected(failure_of(subscription.error()));
    subscriptions.push_back(std::move(*subscription));
    if (options_.verbose || is_terminal(2)) tell("subscribed to " + name);
  }
  return subscriptions;
}

void SubCommand::listen(Client& client, const Interruption& interruption,
                        Listener& listener) const {
  constexpr Duration slice = std::chrono::milliseconds(50);  // until a signal is noticed
  std::optional<Instant> end;
  if (options_.timeout > 0) {
    end = net::now() +
          std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options_.timeout));
  }
  while (!listener.is_done() && !listener.has_ended() && !interruption.happened()) {
    if (client.poll()) continue;
    if (listener.output().has_buffered() && !listener.output().flush()) return;
    if (end && net::now() >= *end) return;
    client.poll(slice);
  }
}

}  // namespace

std::unique_ptr<Command> sub_command() { return std::make_unique<SubCommand>(); }

}  // namespace orzatty::apps
