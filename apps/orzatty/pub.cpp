#include <poll.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/utf8.h"
#include "commands.h"
#include "connection_options.h"
#include "interruption.h"
#include "message_source.h"
#include "net/clock.h"
#include "orzatty/channel.h"
#include "orzatty/client.h"
#include "output.h"
#include "progress.h"
#include "quantity.h"

namespace orzatty::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  orzatty pub news.today \"Hello Orzatty\"\n"
    "  orzatty pub log.lines --file /var/log/syslog       one message per line\n"
    "  tail -f app.log | orzatty pub log.app --file -\n"
    "  orzatty pub backup --file disk.img --chunk 65536   any bytes\n"
    "  orzatty pub tick \"now\" --count 100 --rate 10       ten a second\n"
    "  orzatty pub quotes \"17.5\" --key AAPL --ttl 0.5     of no use after half a second\n\n"
    "A named producer goes on after it was killed: the server takes each sequence once, so the same\n"
    "command again publishes only what it has not had, and 'orzatty fate' says how far it came.\n"
    "  orzatty pub log.lines --file app.log --producer import\n\n"
    "Exit code 0 means that every message was accepted by the server.";

constexpr std::uint64_t kVarintMax = (std::uint64_t{1} << 62) - 1;  // of positions and epochs

struct PubOptions {
  ConnectionOptions connection;
  std::string channel;
  std::string text;
  bool has_text = false;
  std::string file;
  std::size_t chunk_size = 0;
  bool is_text = false;
  std::string key;
  double time_to_live = 0;  // seconds; 0 is for ever
  DeliveryMode mode = DeliveryMode::kReliable;
  std::string producer;
  std::uint64_t epoch = 0;
  std::uint64_t next_sequence = 0;
  std::uint64_t count = 1;
  double rate = 0;       // messages per second; 0 is as fast as it goes
  double patience = 30;  // seconds without any message accepted, before it gives up
  bool json = false;
  bool quiet = false;
};

// What went well, whatever the mode.
std::uint64_t published_of(const ClientStats& stats) {
  return stats.accepted + stats.superseded + stats.handed_to_network;
}

// Without a fate.
std::uint64_t unknown_of(std::uint64_t sent, const ClientStats& stats) {
  return sent - published_of(stats) - stats.rejected - stats.expired;
}

// Why the server did not take the first message that it did not, told by the thread that runs the
// I/O.
class FirstFailure {
 public:
  void take(const DeliveryReport& report) {
    const bool session_ended = report.fate == Fate::kUnknown && report.code != ErrorCode::kNone;
    if (report.fate != Fate::kRejected && !session_ended) return;
    const std::lock_guard lock(mutex_);
    if (!text_.empty()) return;
    text_ = name(report.code);
    if (!report.text.empty()) (text_ += ", ") += report.text;
  }
  [[nodiscard]] std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

// Publishes with one writer and keeps the account.
class Publication {
 public:
  Publication(const PubOptions& options, Client& client, Publisher publisher,
              Interruption& interruption)
      : options_(options),
        client_(client),
        publisher_(std::move(publisher)),
        interruption_(interruption),
        began_(net::now()),
        progress_(options.quiet || options.json ? Progress::Mode::kOff
                                                : Progress::Mode::kTerminal) {
    if (options.key.empty() && options.time_to_live == 0) return;
    attributes_ = MessageAttributes{.key = bytes_of(options.key)};
    if (options.time_to_live == 0) return;
    attributes_->time_to_live = std::chrono::ceil<std::chrono::milliseconds>(
        std::chrono::duration<double>(options.time_to_live));
  }

  Result<void> send_all();
  // Waits for what has no fate yet, and tells how it went; `sent` is what send_all() gave.
  Result<void> finish(const Result<void>& sent);

 private:
  // The first ones are asked for a report: what is wrong with them is mostly wrong with all.
  static constexpr std::uint64_t kReportedCount = 1000;

  Result<void> send_text();
  Result<void> send_file();
  Result<void> send(std::string_view payload);
  bool wait_for_turn();
  void settle();
  void show_progress();
  [[nodiscard]] std::string summary(const ClientStats& stats) const;
  void print_json(const ClientStats& stats, Output& output) const;

  const PubOptions& options_;
  Client& client_;
  Publisher publisher_;
  Interruption& interruption_;
  const Instant began_;
  Progress progress_;
  std::optional<MessageAttributes> attributes_;
  std::uint64_t sent_ = 0;
  std::uint64_t bytes_ = 0;
  std::optional<Instant> ended_;
  FirstFailure failure_;
};

Result<void> Publication::send_all() { return options_.has_text ? send_text() : send_file(); }

Result<void> Publication::send_text() {
  while (sent_ < options_.count && wait_for_turn()) {
    if (auto sent = send(options_.text); !sent) return sent;
  }
  return {};
}

Result<void> Publication::send_file() {
  const Framing framing = {.chunk_size = options_.chunk_size,
                           .message_size_max = options_.connection.message_size_max};
  const auto wait = [this](int fd) {
    pollfd now{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&now, 1, 0) != 0) return !interruption_.happened();
    publisher_.flush();
    return interruption_.wait_readable(fd, std::nullopt);
  };
  for (std::uint64_t round = 0; round < options_.count; ++round) {
    auto source = MessageSource::open(options_.file, framing, wait);
    if (!source) return std::unexpected(source.error());
    while (wait_for_turn()) {
      const auto message = source->next();
      if (!message) return std::unexpected(message.error());
      if (!*message) break;
      if (auto sent = send(**message); !sent) return sent;
    }
  }
  return {};
}

Result<void> Publication::send(std::string_view payload) {
  // The server would close the session: better to know it before.
  if (options_.is_text && !base::is_utf8(bytes_of(payload))) {
    return failure(ExitCode::kFailed, "message " + std::to_string(sent_ + 1) +
                                          " is not UTF-8: leave out --text to send any bytes");
  }
  Payload framed = options_.is_text ? Payload::text(payload) : Payload(payload);
  if (attributes_) framed = framed.with(*attributes_);
  const auto sent =
      sent_ < kReportedCount
          ? publisher_.send(
                framed, [this](const DeliveryReport& report) { failure_.take(report); })
          : publisher_.send(framed);
  if (!sent) {
    if (interruption_.happened()) return {};  // its client was closed: that is told by finish()
    auto failed = failure_of(sent.error());
    // Of datagrams there is another limit, which is named.
    if (sent.error().kind == ErrorKind::kTooLarge && options_.mode != DeliveryMode::kDatagram) {
      failed.text += ", the smaller of --message-size-max here and message_size_max of the server";
    }
    return std::unexpected(std::move(failed));
  }
  ++sent_;
  bytes_ += payload.size();
  if ((sent_ & 0xfffU) == 0) show_progress();
  return {};
}

// False when it was interrupted.
bool Publication::wait_for_turn() {
  if (options_.rate > 0) {
    const auto due = began_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
                                  static_cast<double>(sent_) / options_.rate));
    if (net::now() < due) {
      publisher_.flush();
      return interruption_.sleep_until(due);
    }
  }
  return !interruption_.happened();
}

void Publication::settle() {
  publisher_.flush();
  const auto patience =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options_.patience));
  Instant moved = net::now();
  std::uint64_t waiting = client_.stats().waiting;
  while (!client_.settle(std::chrono::milliseconds(200))) {
    if (interruption_.happened()) break;
    const std::uint64_t still = client_.stats().waiting;
    if (still != waiting) moved = net::now();
    waiting = still;
    if (net::now() - moved > patience) break;
    show_progress();
  }
  ended_ = net::now();
}

Result<void> Publication::finish(const Result<void>& sent) {
  settle();
  interruption_.on_first({});
  const ClientStats stats = client_.stats();
  progress_.clear();
  Output output;
  if (options_.json) {
    print_json(stats, output);
  } else if (!options_.quiet) {
    output.write_line(summary(stats));
  }
  const auto written = output.flush();
  const std::string account =
      std::to_string(stats.accepted) + " of " + std::to_string(sent_) +
      " messages were accepted, " + std::to_string(stats.rejected) + " rejected, " +
      (stats.expired > 0 ? std::to_string(stats.expired) + " expired, " : "") +
      (stats.handed_to_network > 0
           ? std::to_string(stats.handed_to_network) + " handed to the network, "
           : "") +
      std::to_string(unknown_of(sent_, stats)) + " are unknown";
  if (!sent) return failure(sent.error().code, sent.error().text + "; " + account);
  if (interruption_.happened()) return failure(ExitCode::kIncomplete, "interrupted: " + account);
  if (published_of(stats) == sent_) return written;
  const std::string reason = failure_.text();
  return failure(stats.rejected > 0 ? ExitCode::kFailed : ExitCode::kIncomplete,
                 reason.empty() ? account : account + "; the first reason: " + reason);
}

void Publication::show_progress() {
  if (!progress_.is_due()) return;
  progress_.show(std::to_string(sent_) + " messages, " + text_of_size(static_cast<double>(bytes_)));
}

std::string Publication::summary(const ClientStats& stats) const {
  const double time = std::max(seconds(*ended_ - began_), 1e-9);
  const std::uint64_t published = published_of(stats);
  std::string text = "published " + std::to_string(published) +
                     (published == 1 ? " message (" : " messages (") +
                     text_of_size(static_cast<double>(bytes_)) + ") to " + options_.channel;
  if (sent_ < 2) return text;
  return text + " in " + text_of_duration(*ended_ - began_) + ": " +
         text_of_rate(static_cast<double>(published) / time) + " messages/s, " +
         text_of_size(static_cast<double>(bytes_) / time) + "/s";
}

void Publication::print_json(const ClientStats& stats, Output& output) const {
  const double time = std::max(seconds(*ended_ - began_), 1e-9);
  const nlohmann::ordered_json json = {
      {"channel", options_.channel},
      {"sent", sent_},
      {"accepted", stats.accepted},
      {"rejected", stats.rejected},
      {"expired", stats.expired},
      {"next_sequence", publisher_.next_sequence().value()},
      {"superseded", stats.superseded},
      {"handed_to_network", stats.handed_to_network},
      {"unknown", unknown_of(sent_, stats)},
      {"bytes", bytes_},
      {"seconds", time},
      {"messages_per_second", static_cast<double>(stats.accepted) / time},
      {"bytes_per_second", static_cast<double>(bytes_) / time}};
  output.write_line(json.dump());
}

class PubCommand final : public Command {
 public:
  CLI::App& declare(CLI::App& program) override;
  Result<void> run() override;

 private:
  [[nodiscard]] Result<void> check() const;

  PubOptions options_;
  CLI::Option* text_option_ = nullptr;
};

CLI::App& PubCommand::declare(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("pub", "Publish messages to a channel");
  command.footer(kExamples);
  command.add_option("CHANNEL", options_.channel, "Name such as news.today, or a number")
      ->required();
  text_option_ = command.add_option("TEXT", options_.text, "The message");
  command.add_option("-f,--file", options_.file, "Publish a file's lines; - is standard input");
  command.add_option("--chunk", options_.chunk_size, "Cut the file every N bytes, not at newlines")
      ->check(CLI::PositiveNumber);
  command.add_flag("--text", options_.is_text, "State that it is UTF-8, which the server checks");
  command.add_option("--key", options_.key, "Key of the messages, such as AAPL")
      ->check([](const std::string& key) {
        return key.size() <= MessageAttributes::kKeySizeMax ? "" : "a key has at most 255 bytes";
      });
  command
      .add_option("--ttl", options_.time_to_live,
                  "Seconds after which nobody wants a message any more")
      ->check(CLI::Range(0.001, 31536000.0));
  command
      .add_option("--mode", options_.mode,
                  "How they travel: reliable, unordered, datagram or latest, as the channel says")
      ->transform(CLI::Transformer(std::map<std::string, DeliveryMode>{
          {"reliable", DeliveryMode::kReliable},
          {"unordered", DeliveryMode::kUnordered},
          {"datagram", DeliveryMode::kDatagram},
          {"latest", DeliveryMode::kLatest}}));
  command.add_option("--producer", options_.producer,
                     "A name, by which the server knows these messages when they come again");
  command.add_option("--epoch", options_.epoch, "Of the producer: a newer one shuts older ones out")
      ->check(CLI::Range(std::uint64_t{0}, kVarintMax));
  command
      .add_option("--next-sequence", options_.next_sequence,
                  "Of the producer: the sequence of the first message")
      ->check(CLI::Range(std::uint64_t{0}, kVarintMax));
  command.add_option("-n,--count", options_.count, "Publish the text or file N times")
      ->check(CLI::PositiveNumber);
  command.add_option("--rate", options_.rate, "At most N messages per second")
      ->check(CLI::PositiveNumber);
  command
      .add_option("--patience", options_.patience,
                  "Seconds without a message accepted before it gives up")
      ->check(CLI::Range(0.0, 86400.0));
  command.add_flag("--json", options_.json, "Print the result as JSON");
  command.add_flag("-q,--quiet", options_.quiet, "Print nothing but errors");
  declare_connection(command, options_.connection);
  declare_message_size(command, options_.connection);
  return command;
}

Result<void> PubCommand::check() const {
  if (!ChannelName::parse(options_.channel)) {
    return failure(ExitCode::kUsage, "'" + options_.channel +
                                         "' is no channel name: write words joined by dots, "
                                         "without spaces, * and >");
  }
  if (options_.has_text == !options_.file.empty()) {
    return failure(ExitCode::kUsage, "what to publish? give either TEXT or --file FILE");
  }
  if (options_.producer.empty() && (options_.epoch > 0 || options_.next_sequence > 0)) {
    return failure(ExitCode::kUsage, "--epoch and --next-sequence are for --producer");
  }
  if (options_.chunk_size > 0 && options_.file.empty()) {
    return failure(ExitCode::kUsage, "--chunk is for --file");
  }
  if (options_.chunk_size > options_.connection.message_size_max) {
    return failure(ExitCode::kUsage, "a chunk of " + std::to_string(options_.chunk_size) +
                                         " bytes is above " +
                                         std::to_string(options_.connection.message_size_max) +
                                         ": raise it with --message-size-max");
  }
  if (options_.file == "-" && options_.count > 1) {
    return failure(ExitCode::kUsage, "standard input can be read only once: leave out --count");
  }
  if (options_.is_text && options_.chunk_size > 0) {
    return failure(ExitCode::kUsage, "--chunk cuts through characters: leave out --text");
  }
  if (options_.file.empty() || options_.file == "-") return {};
  // Before connecting: nobody should learn of a misspelt name only then.
  const auto source = MessageSource::open(options_.file, {}, {});
  if (!source) return std::unexpected(source.error());
  return {};
}

Result<void> PubCommand::run() {
  options_.has_text = text_option_->count() > 0;
  if (auto checked = check(); !checked) return checked;
  auto interruption = Interruption::watch(ExitCode::kIncomplete);
  if (!interruption) return std::unexpected(interruption.error());
  auto client = connect(options_.connection, {}, **interruption);
  if (!client) return std::unexpected(client.error());
  auto publisher =
      client->publisher(options_.channel, {.mode = options_.mode,
                                           .producer = options_.producer,
                                           .epoch = options_.epoch,
                                           .next_sequence = Sequence(options_.next_sequence)});
  if (!publisher) return std::unexpected(failure_of(publisher.error()));
  Publication publication(options_, *client, std::move(*publisher), **interruption);
  // What is on its way may still be accepted; a send that waits for room ends when this has closed.
  (*interruption)->on_first([&] { (void)client->close(std::chrono::seconds(2)); });
  auto done = publication.finish(publication.send_all());
  (void)client->close(std::chrono::seconds(1));
  return done;
}

}  // namespace

std::unique_ptr<Command> pub_command() { return std::make_unique<PubCommand>(); }

}  // namespace orzatty::apps
