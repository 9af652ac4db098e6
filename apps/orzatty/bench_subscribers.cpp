#include "bench_subscribers.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "cpu_time.h"
#include "net/clock.h"
#include "output.h"
#include "sequence_check.h"

namespace orzatty::apps {
namespace {

constexpr Duration kPatience = std::chrono::seconds(10);  // without anything new: it never comes
constexpr Duration kNap = std::chrono::microseconds(200);

struct Ready {};
struct Sent {
  std::uint64_t count = 0;
};

struct Subscriber {
  explicit Subscriber(Client opened) : client(std::move(opened)) {}

  Client client;
  SequenceCheck check;
  std::uint64_t delivered = 0;
};

class Subscribers {
 public:
  explicit Subscribers(const SubscriberPlan& plan) : plan_(plan) {}

  std::expected<void, Error> open() {
    ClientOptions options = plan_.client_options;
    options.drive = Drive::kPoll;
    for (std::size_t i = 0; i < plan_.count; ++i) {
      auto client = Client::connect(plan_.address, options);
      if (!client) return std::unexpected(client.error());
      all_.push_back(std::make_unique<Subscriber>(std::move(*client)));
      Subscriber& subscriber = *all_.back();
      auto subscription =
          subscriber.client.subscribe(plan_.channel, [&subscriber](const Message& message) {
            subscriber.check.take(message.payload());
            ++subscriber.delivered;
          });
      if (!subscription) return std::unexpected(subscription.error());
      subscription->detach();
    }
    return {};
  }

  SubscriberTally follow(Conversation& conversation) {
    const Duration cpu_before = cpu_time();
    std::optional<Sent> sent;
    Instant heard_at = net::now();
    while (!sent || !has_all(*sent)) {
      const bool active = poll_all();
      const Instant now = net::now();
      if (!sent && conversation.was_told()) {
        sent = conversation.hear<Sent>();
        if (!sent) break;  // the bench is gone
        heard_at = now;
      }
      if (active) heard_at = now;
      if (sent && now - heard_at > kPatience) break;
      if (!active && plan_.waiting == Waiting::kSleep) all_.front()->client.poll(kNap);
    }
    SubscriberTally total = tally(sent.value_or(Sent{}));
    total.cpu = cpu_time() - cpu_before;
    return total;
  }

 private:
  bool poll_all() {
    bool active = false;
    for (const auto& subscriber : all_) active |= subscriber->client.poll();
    return active;
  }

  [[nodiscard]] bool has_all(const Sent& sent) const {
    return std::ranges::all_of(
        all_, [&sent](const auto& subscriber) { return subscriber->check.next() >= sent.count; });
  }

  [[nodiscard]] SubscriberTally tally(const Sent& sent) const {
    SubscriberTally total;
    for (const auto& subscriber : all_) {
      total.delivered += subscriber->delivered;
      total.lost += subscriber->check.lost(sent.count);
      total.repeated += subscriber->check.repeated();
    }
    return total;
  }

  const SubscriberPlan& plan_;
  std::vector<std::unique_ptr<Subscriber>> all_;
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
  auto worker =
      Worker::start([&plan](Conversation& conversation) { return subscribe(plan, conversation); });
  if (!worker) return std::unexpected(worker.error());
  if (!worker->conversation().hear<Ready>()) {
    return failure(ExitCode::kFailed, "the subscribers of the bench did not start");
  }
  return BenchSubscribers(std::move(*worker));
}

Result<SubscriberTally> BenchSubscribers::finish(std::uint64_t sent) {
  worker_.conversation().tell(Sent{sent});
  const auto tally = worker_.conversation().hear<SubscriberTally>();
  if (!worker_.await() || !tally) {
    return failure(ExitCode::kFailed, "the subscribers of the bench failed");
  }
  return *tally;
}

}  // namespace orzatty::apps
