#include <CLI/CLI.hpp>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/utf8.h"
#include "commands.h"
#include "connection_options.h"
#include "encoding.h"
#include "interruption.h"
#include "orzatty/channel.h"
#include "orzatty/client.h"
#include "output.h"
#include "shell_command.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  orzatty reply ping.me pong\n"
    "  orzatty reply echo --echo\n"
    "  orzatty reply 'time.*' --command date\n"
    "  orzatty reply sum --command 'bc' --count 10 --json\n\n"
    "A command of the shell gets the request as its standard input, and what it writes is the reply;\n"
    "when it fails there is none. Requests are answered one after the other.";

struct ReplyOptions {
  ConnectionOptions connection;
  std::string name;
  std::string text;
  bool has_text = false;
  bool echo = false;
  std::string command;
  std::uint64_t count = 0;  // 0 is no end
  bool json = false;
  bool verbose = false;
};

struct Asked {
  std::string channel;
  std::string publisher;
  Bytes payload;
  Responder to;
};

// Requests between the thread that receives and the one that answers.
class Desk {
 public:
  // More than these wait in vain: whoever asked hears nothing.
  static constexpr std::size_t kCountMax = 1024;

  void put(Asked asked) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kCountMax) waiting_.push_back(std::move(asked));
    changed_.notify_one();
  }
  void close(std::string reason) {
    const std::lock_guard lock(mutex_);
    if (!closed_) closed_ = std::move(reason);
    changed_.notify_one();
  }
  // Waits; nothing when it was closed.
  std::optional<Asked> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
    if (closed_) return std::nullopt;
    Asked asked = std::move(waiting_.front());
    waiting_.pop_front();
    return asked;
  }
  [[nodiscard]] std::string reason() {
    const std::lock_guard lock(mutex_);
    return closed_.value_or("");
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Asked> waiting_;
  std::optional<std::string> closed_;
};

class ReplyCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  [[nodiscard]] Result<void> check() const;
  Result<void> answer_all(Output& output);
  [[nodiscard]] Result<std::string> answer_to(const Asked& asked) const;
  Result<void> print(const Asked& asked, std::string_view reply, Output& output) const;

  ReplyOptions options_;
  CLI::Option* text_option_ = nullptr;
  Desk desk_;
  std::uint64_t count_ = 0;
};

CLI::App& ReplyCommand::declare(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("reply", "Answer the requests of channels");
  command.footer(kExamples);
  command
      .add_option("NAME", options_.name, "Channel; * stands for one word, a last > for the rest")
      ->required();
  text_option_ = command.add_option("TEXT", options_.text, "The reply to each");
  command.add_flag("--echo", options_.echo, "Reply with the request itself");
  command.add_option("--command", options_.command, "Reply with what this command writes");
  command.add_option("-n,--count", options_.count, "End after N replies")
      ->check(CLI::PositiveNumber);
  command.add_flag("--json", options_.json, "Print each request and its reply as JSON");
  command.add_flag("-v,--verbose", options_.verbose, "Tell when it is subscribed");
  declare_connection(command, options_.connection);
  declare_message_size(command, options_.connection);
  return command;
}

Result<void> ReplyCommand::check() const {
  if (!ChannelPattern::parse(options_.name)) {
    return failure(ExitCode::kUsage, "'" + options_.name + "' is no channel name or pattern");
  }
  const int ways = (options_.has_text ? 1 : 0) + (options_.echo ? 1 : 0) +
                   (options_.command.empty() ? 0 : 1);
  if (ways == 1) return {};
  return failure(ExitCode::kUsage, "what to reply? give one of TEXT, --echo and --command");
}

Result<void> ReplyCommand::run() {
  options_.has_text = text_option_->count() > 0;
  if (auto checked = check(); !checked) return checked;
  auto interruption = Interruption::watch(ExitCode::kIncomplete);
  if (!interruption) return std::unexpected(interruption.error());
  ClientOptions client_options;
  client_options.on_state = [&](const StateEvent& event) {
    if (event.state != ConnectionState::kClosed) return;
    desk_.close("the session has ended: " + event.text +
                std::string(message_size_advice(event.code)));
  };
  auto client = connect(options_.connection, std::move(client_options), **interruption);
  if (!client) return std::unexpected(client.error());
  (*interruption)->on_first([&] { desk_.close("interrupted"); });
  const auto take = [&](const Message& message, Responder to) {
    desk_.put({std::string(message.channel()), std::string(message.publisher()),
               copy_of(message.payload()), std::move(to)});
  };
  const auto end = [&](const Error& error) {
    if (error.code != ErrorCode::kNone) desk_.close(error.text);
  };
  const auto subscription = client->reply(options_.name, take, {.on_end = end});
  if (!subscription) return std::unexpected(failure_of(subscription.error()));
  if (options_.verbose || is_terminal(2)) tell("answering on " + options_.name);
  Output output;
  const auto done = answer_all(output);
  (*interruption)->on_first({});
  (void)client->close(std::chrono::seconds(5));
  if (!done || options_.count == 0 || count_ == options_.count) return done;
  return failure(ExitCode::kIncomplete, desk_.reason() + ": " + std::to_string(count_) + " of " +
                                            std::to_string(options_.count) + " replies were sent");
}

Result<void> ReplyCommand::answer_all(Output& output) {
  while (options_.count == 0 || count_ < options_.count) {
    auto asked = desk_.take();
    if (!asked) {
      if (options_.count > 0 || desk_.reason() == "interrupted") return {};
      return failure(ExitCode::kFailed, desk_.reason());
    }
    const auto reply = answer_to(*asked);
    if (!reply) {
      tell(reply.error().text);
      continue;
    }
    const auto late = [](const DeliveryReport& report) {
      if (report.fate != Fate::kAccepted) {
        tell("a reply was not taken: " + std::string(name(report.code)));
      }
    };
    const auto sent = asked->to.reply(*reply, late);
    if (!sent && sent.error().kind != ErrorKind::kTooLarge) {
      return std::unexpected(failure_of(sent.error()));
    }
    if (!sent) {
      tell("a reply was not sent: " + sent.error().text +
           std::string(message_size_advice(sent.error().code)));
      continue;
    }
    ++count_;
    if (auto printed = print(*asked, *reply, output); !printed) return printed;
  }
  return {};
}

Result<std::string> ReplyCommand::answer_to(const Asked& asked) const {
  if (options_.has_text) return options_.text;
  if (options_.echo) return std::string(orzatty::text_of(asked.payload));
  return run_shell(options_.command, asked.payload, options_.connection.message_size_max);
}

Result<void> ReplyCommand::print(const Asked& asked, std::string_view reply,
                                 Output& output) const {
  if (!options_.json) return {};
  const auto put = [](nlohmann::ordered_json& json, const std::string& key, std::string_view bytes) {
    if (base::is_utf8(bytes_of(bytes))) {
      json[key] = bytes;
    } else {
      json[key + "_base64"] = base64(bytes_of(bytes));
    }
  };
  nlohmann::ordered_json json = {{"channel", asked.channel}, {"publisher", asked.publisher}};
  put(json, "request", orzatty::text_of(asked.payload));
  put(json, "reply", reply);
  output.write_line(json.dump());
  return output.flush();
}

}  // namespace

std::unique_ptr<Command> reply_command() { return std::make_unique<ReplyCommand>(); }

}  // namespace orzatty::apps
