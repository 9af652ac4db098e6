#include <algorithm>
#include <utility>
#include <vector>

#include "bench_scenes.h"
#include "message_check.h"
#include "net/clock.h"

namespace orzatty::apps {
namespace {

constexpr Duration kPatience = std::chrono::seconds(30);
// So near to the next message that is due a thread asks instead of sleeping: it would be late.
constexpr Duration kWakeUp = std::chrono::microseconds(100);
// Bytes on their way there and back: half of what the server holds for one peer, so that its
// handler has room for every answer.
constexpr std::size_t kInFlightSizeMax = 1024 * 1024;

// One client whose messages come back, each of which has a time that it is measured from.
class Echo {
 public:
  explicit Echo(const BenchPlan& plan)
      : plan_(plan),
        message_(numbered_message(plan.size)),
        expected_(message_),
        check_(expected_),
        in_flight_max_(std::max(std::size_t{1}, kInFlightSizeMax / plan.size)) {}

  Result<Times> measure(Result<void> (Echo::*send)()) {
    auto stage = set_up(plan_);
    if (!stage) return std::unexpected(stage.error());
    auto client = open_client(*stage, Drive::kPoll);
    if (!client) return std::unexpected(client.error());
    auto publisher = open_echo(*stage, *client, [this](const Message& message) { take(message); });
    if (!publisher) return std::unexpected(publisher.error());
    client_ = &*client;
    publisher_ = &*publisher;
    start_ = heard_at_ = net::now();
    if (const auto sent = (this->*send)(); !sent) return std::unexpected(sent.error());
    const Duration time = net::now() - start_;
    static_cast<void>(client->close());
    if (stage->own) {
      if (const auto tally = stage->own->stop(); !tally) return std::unexpected(tally.error());
    }
    return Times{.count = sent_,
                 .lost = check_.lost(sent_),
                 .repeated = check_.repeated(),
                 .time = time,
                 .histogram = std::move(histogram_)};
  }

  Result<void> send_in_flight() {
    measured_from_.resize(plan_.in_flight);
    while (true) {
      while (is_wanted(net::now()) && sent_ - check_.next() < plan_.in_flight) {
        measured_from_[sent_ % plan_.in_flight] = net::now();
        const auto sent = send_next();
        if (!sent) return std::unexpected(sent.error());
        if (!*sent) break;
      }
      if (check_.next() >= sent_) return {};
      if (!await(kPatience / 100)) return failure(ExitCode::kFailed, kSilence);
    }
  }

  Result<void> send_on_schedule() {
    while (true) {
      for (Instant now = net::now(); due() <= now && is_wanted(due());) {
        const auto sent = send_next();
        if (!sent) return std::unexpected(sent.error());
        if (!*sent) break;  // no room: it is late, and counts from when it was due
      }
      const bool all_sent = !is_wanted(due());
      if (all_sent && check_.next() >= sent_) return {};
      const Duration until_next = all_sent ? kPatience / 100 : due() - net::now() - kWakeUp;
      if (!await(until_next)) return failure(ExitCode::kFailed, kSilence);
    }
  }

 private:
  static constexpr const char* kSilence = "a round trip took more than 30 s";

  [[nodiscard]] Instant due() const { return due_at(sent_); }
  [[nodiscard]] Instant due_at(std::uint64_t number) const {
    return start_ +
           Duration(static_cast<Duration::rep>(static_cast<double>(number) * 1e9 / plan_.rate));
  }
  // Whether one more is to be sent at that time.
  [[nodiscard]] bool is_wanted(Instant at) const {
    return plan_.count > 0 ? sent_ < plan_.count : sent_ == 0 || at - start_ < plan_.time;
  }

  // False without room for it.
  Result<bool> send_next() {
    if (sent_ - check_.next() >= in_flight_max_) return false;
    write_number(message_, sent_);
    const auto sent = publisher_->try_send(message_);
    if (sent) {
      ++sent_;
    } else if (sent.error().kind != ErrorKind::kBusy) {
      return std::unexpected(failure_of(sent.error()));
    }
    return sent.has_value();
  }

  void take(const Message& message) {
    const std::uint64_t before = check_.next();
    check_.take(message.payload());
    heard_at_ = net::now();
    for (std::uint64_t number = before; number < check_.next(); ++number) {
      histogram_.record(heard_at_ - (measured_from_.empty()
                                         ? due_at(number)
                                         : measured_from_[number % measured_from_.size()]));
    }
  }

  // Lets the client work; false when nothing has come back for too long.
  bool await(Duration wait) {
    const bool sleeps = plan_.waiting == Waiting::kSleep && wait > Duration::zero();
    client_->poll(sleeps ? wait : Duration::zero());
    return check_.next() >= sent_ || net::now() - heard_at_ < kPatience;
  }

  const BenchPlan& plan_;
  Bytes message_;
  const Bytes expected_;
  MessageCheck check_;
  const std::size_t in_flight_max_;
  Histogram histogram_;
  std::vector<Instant> measured_from_;  // of those in flight; none when they have a schedule
  Client* client_ = nullptr;
  Publisher* publisher_ = nullptr;
  std::uint64_t sent_ = 0;
  Instant start_;
  Instant heard_at_;
};

}  // namespace

Result<Times> measure_round_trips(const BenchPlan& plan) {
  return Echo(plan).measure(&Echo::send_in_flight);
}

Result<Times> measure_latency(const BenchPlan& plan) {
  return Echo(plan).measure(&Echo::send_on_schedule);
}

}  // namespace orzatty::apps
