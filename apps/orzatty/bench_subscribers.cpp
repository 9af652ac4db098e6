#include "bench_subscribers.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "bench_clients.h"
#include "cpu_time.h"
#include "message_check.h"
#include "net/clock.h"
#include "output.h"

namespace orzatty::apps {
namespace {

constexpr Duration kPatience = std::chrono::seconds(10);  // without anything new: it never comes
constexpr Duration kNap = std::chrono::microseconds(200);

struct Ready {};
struct Sent {
  std::uint64_t count = 0;
};

class Subscribers {
 public:
  explicit Subscribers(const SubscriberPlan& plan)
      : plan_(plan), expected_(numbered_message(plan.size)) {}

  std::expected<void, Error> open() {
    ClientOptions options = plan_.client_options;
    if (plan_.count > 1) options.spin = Duration::zero();
    if (auto opened = clients_.open(plan_.address, options, plan_.count); !opened) return opened;
    for (Client& client : clients_.all()) {
      MessageCheck& check = checks_.emplace_back(expected_);
      auto subscription = client.subscribe(
          plan_.channel, [&check](const Message& message) { check.take(message.payload()); });
      if (!subscription) return std::unexpected(subscription.error());
      subscription->detach();
      clients_.poll_when_due();
    }
    return {};
  }

  SubscriberTally follow(Conversation& conversation) {
    const Duration cpu_before = cpu_time();
    std::optional<Sent> sent;
    Instant heard_at = net::now();
    while (!sent || !has_all(*sent)) {
      const bool active = clients_.poll();
      const Instant now = net::now();
      if (!sent && conversation.was_told()) {
        sent = conversation.hear<Sent>();
        if (!sent) break;  // the bench is gone
        heard_at = now;
      }
      if (active) heard_at = now;
      if (sent && now - heard_at > kPatience) break;
      if (!active && plan_.waiting == Waiting::kSleep) clients_.all().front().poll(kNap);
    }
    SubscriberTally total = tally(sent.value_or(Sent{}));
    total.cpu = cpu_time() - cpu_before;
    return total;
  }

 private:
  [[nodiscard]] bool has_all(const Sent& sent) const {
    return std::ranges::all_of(
        checks_, [&sent](const MessageCheck& check) { return check.next() >= sent.count; });
  }

  [[nodiscard]] SubscriberTally tally(const Sent& sent) const {
    SubscriberTally total;
    for (const MessageCheck& check : checks_) {
      total.lost += check.lost(sent.count);
      total.repeated += check.repeated();
      total.delivered += check.next() - check.skipped() + check.repeated();
    }
    return total;
  }

  const SubscriberPlan& plan_;
  const Bytes expected_;
  BenchClients clients_;
  std::deque<MessageCheck> checks_;
};

// All of the subscribers' process.
int subscribe(const SubscriberPlan& plan, Conversation& conversation) {
  plan.cores.occupy(Cores::Side::kClients);
  Subscribers subscribers(plan);
  if (const auto opened = subscribers.open(); !opened) {
    tell(opened.error().text);
    return 1;
  }
  conversation.tell(Ready{});
  return conversation.tell(subscribers.follow(conversation)) ? 0 : 1;
}

}  // namespace

Result<BenchSubscribers> BenchSubscribers::start(const SubscriberPlan& plan) {
  BenchSubscribers subscribers;
  for (std::size_t left = plan.count; left > 0;) {
    SubscriberPlan part = plan;
    part.count = std::min(left, kClientsPerProcess);
    auto worker = Worker::start(
        [&part](Conversation& conversation) { return subscribe(part, conversation); });
    if (!worker) return std::unexpected(worker.error());
    subscribers.workers_.push_back(std::move(*worker));
    left -= part.count;
  }
  for (Worker& worker : subscribers.workers_) {
    if (!worker.conversation().hear<Ready>()) {
      return failure(ExitCode::kFailed, "the subscribers of the bench did not start");
    }
  }
  return subscribers;
}

Result<SubscriberTally> BenchSubscribers::finish(std::uint64_t sent) {
  for (Worker& worker : workers_) worker.conversation().tell(Sent{sent});
  SubscriberTally total;
  for (Worker& worker : workers_) {
    const auto tally = worker.conversation().hear<SubscriberTally>();
    if (!worker.await() || !tally) {
      return failure(ExitCode::kFailed, "the subscribers of the bench failed");
    }
    total.delivered += tally->delivered;
    total.lost += tally->lost;
    total.repeated += tally->repeated;
    total.cpu += tally->cpu;
  }
  return total;
}

}  // namespace orzatty::apps
