#include "bench_scenes.h"

#include <utility>

#include "bench_subscribers.h"
#include "cpu_time.h"
#include "development.h"
#include "net/clock.h"
#include "sequence_check.h"

namespace orzatty::apps {
namespace {

constexpr Duration kPatience = std::chrono::seconds(30);
constexpr std::uint64_t kClockEvery = 256;  // messages between two looks at the clock

// Where a run happens: our own server, or one that runs already.
struct Stage {
  std::optional<BenchServer> own;
  std::string address;
  ClientOptions client_options;
  std::string channel;  // of the hub; its own, as others may use the server too
  Cores cores;
};

Result<Stage> set_up(const BenchPlan& plan) {
  Stage stage;
  stage.cores = plan.cores;
  stage.channel = "bench." + make_token().substr(0, 16);
  if (plan.other) {
    stage.address = plan.other->address;
    stage.client_options = plan.other->client_options;
    return stage;
  }
  auto server = BenchServer::start(plan.waiting, plan.cores);
  if (!server) return std::unexpected(server.error());
  stage.address = server->address();
  stage.client_options = server->client_options();
  stage.own.emplace(std::move(*server));
  return stage;
}

Result<Client> open_client(const Stage& stage, Drive drive) {
  stage.cores.occupy(Cores::Side::kClients);
  ClientOptions options = stage.client_options;
  options.drive = drive;
  auto client = Client::connect(stage.address, std::move(options));
  if (!client) return std::unexpected(refusal_of(client.error()));
  return std::move(*client);
}

// Sends for as long as the plan says, and until all of it is accepted; gives how many.
Result<std::uint64_t> send_numbered(Client& client, const std::string& channel,
                                    const BenchPlan& plan) {
  auto publisher = client.publisher(channel);
  if (!publisher) return std::unexpected(failure_of(publisher.error()));
  Bytes message(plan.size);
  const Instant end = net::now() + plan.time;
  std::uint64_t sent = 0;
  while (plan.count > 0 ? sent < plan.count : sent % kClockEvery != 0 || net::now() < end) {
    write_number(message, sent);
    if (const auto done = publisher->send(message); !done) {
      return std::unexpected(failure_of(done.error()));
    }
    ++sent;
  }
  if (!client.settle(kPatience)) {
    return failure(ExitCode::kFailed, "messages were not accepted within 30 s");
  }
  if (const ClientStats stats = client.stats(); stats.accepted != sent) {
    return failure(ExitCode::kFailed, "only " + std::to_string(stats.accepted) + " of " +
                                          std::to_string(sent) + " messages were accepted");
  }
  return sent;
}

// Round trips of one client, one after the other.
class PingPong {
 public:
  PingPong(const BenchPlan& plan, Client& client) : plan_(plan), client_(client) {}

  Result<void> answer_by_endpoint() {
    const auto set = client_.on(kEchoChannel, [this](const Message& message) { take(message); });
    if (!set) return std::unexpected(failure_of(set.error()));
    return {};
  }
  Result<void> answer_by_hub(const std::string& channel) {
    auto subscription =
        client_.subscribe(channel, [this](const Message& message) { take(message); });
    if (!subscription) return std::unexpected(failure_of(subscription.error()));
    subscription->detach();
    return {};
  }

  Result<RoundTripTimes> run(Publisher publisher) {
    Bytes message(plan_.size);
    std::vector<Duration> times;
    times.reserve(plan_.count > 0 ? plan_.count : kTimesExpected);
    const Instant end = net::now() + plan_.time;
    for (std::uint64_t i = 0; plan_.count > 0 ? i < plan_.count : i == 0 || sent_at_ < end; ++i) {
      write_number(message, i);
      sent_at_ = net::now();
      if (const auto sent = publisher.send(message); !sent) {
        return std::unexpected(failure_of(sent.error()));
      }
      if (!await(i)) return failure(ExitCode::kFailed, "a round trip took more than 30 s");
      times.push_back(net::now() - sent_at_);
    }
    return RoundTripTimes{.count = times.size(),
                          .lost = check_.lost(times.size()),
                          .repeated = check_.repeated(),
                          .percentiles = percentiles_of(std::move(times))};
  }

 private:
  static constexpr std::size_t kTimesExpected = 1'000'000;

  void take(const Message& message) { check_.take(message.payload()); }

  bool await(std::uint64_t number) {
    const Duration wait = plan_.waiting == Waiting::kSpin ? Duration::zero() : kPatience / 100;
    while (check_.next() <= number) {
      if (!client_.poll(wait) && net::now() - sent_at_ > kPatience) return false;
    }
    return true;
  }

  const BenchPlan& plan_;
  Client& client_;
  SequenceCheck check_;
  Instant sent_at_;
};

}  // namespace

Result<Flow> measure_endpoint(const BenchPlan& plan) {
  auto stage = set_up(plan);
  if (!stage) return std::unexpected(stage.error());
  auto client = open_client(*stage, Drive::kThreads);
  if (!client) return std::unexpected(client.error());
  const Instant start = net::now();
  const Duration cpu_before = cpu_time();
  const auto sent = send_numbered(*client, kSinkChannel, plan);
  if (!sent) return std::unexpected(sent.error());
  const Duration time = net::now() - start;
  const Duration sender_cpu = cpu_time() - cpu_before;
  static_cast<void>(client->close());
  const auto tally = stage->own->stop();
  if (!tally) return std::unexpected(tally.error());
  const std::uint64_t lost = tally->skipped + (*sent > tally->next ? *sent - tally->next : 0);
  return Flow{.sent = *sent,
              .delivered = *sent - lost + tally->repeated,
              .lost = lost,
              .repeated = tally->repeated,
              .time = time,
              .sender_cpu = sender_cpu,
              .server_cpu = tally->cpu,
              .subscribers_cpu = {}};
}

Result<Flow> measure_hub(const BenchPlan& plan) {
  auto stage = set_up(plan);
  if (!stage) return std::unexpected(stage.error());
  const SubscriberPlan subscriber_plan{.address = stage->address,
                                       .client_options = stage->client_options,
                                       .channel = stage->channel,
                                       .count = plan.subscribers,
                                       .waiting = plan.waiting,
                                       .cores = plan.cores};
  auto subscribers = BenchSubscribers::start(subscriber_plan);
  if (!subscribers) return std::unexpected(subscribers.error());
  auto client = open_client(*stage, Drive::kThreads);
  if (!client) return std::unexpected(client.error());
  const Instant start = net::now();
  const Duration cpu_before = cpu_time();
  const auto sent = send_numbered(*client, stage->channel, plan);
  if (!sent) return std::unexpected(sent.error());
  const auto tally = subscribers->finish(*sent);
  if (!tally) return std::unexpected(tally.error());
  const Duration time = net::now() - start;
  const Duration sender_cpu = cpu_time() - cpu_before;
  static_cast<void>(client->close());
  Duration server_cpu{};
  if (stage->own) {
    const auto stopped = stage->own->stop();
    if (!stopped) return std::unexpected(stopped.error());
    server_cpu = stopped->cpu;
  }
  return Flow{.sent = *sent,
              .delivered = tally->delivered,
              .lost = tally->lost,
              .repeated = tally->repeated,
              .time = time,
              .sender_cpu = sender_cpu,
              .server_cpu = server_cpu,
              .subscribers_cpu = tally->cpu};
}

Result<RoundTripTimes> measure_round_trips(const BenchPlan& plan) {
  auto stage = set_up(plan);
  if (!stage) return std::unexpected(stage.error());
  auto client = open_client(*stage, Drive::kPoll);
  if (!client) return std::unexpected(client.error());
  PingPong ping_pong(plan, *client);
  const auto answering =
      stage->own ? ping_pong.answer_by_endpoint() : ping_pong.answer_by_hub(stage->channel);
  if (!answering) return std::unexpected(answering.error());
  auto publisher = client->publisher(stage->own ? std::string(kEchoChannel) : stage->channel);
  if (!publisher) return std::unexpected(failure_of(publisher.error()));
  const auto times = ping_pong.run(std::move(*publisher));
  static_cast<void>(client->close());
  if (!times) return std::unexpected(times.error());
  if (stage->own) {
    const auto tally = stage->own->stop();
    if (!tally) return std::unexpected(tally.error());
  }
  return *times;
}

}  // namespace orzatty::apps
