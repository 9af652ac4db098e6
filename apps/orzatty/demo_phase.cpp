#include "demo_phase.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

#include "net/clock.h"

namespace orzatty::apps {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(20);
constexpr Duration kPatience = std::chrono::seconds(15);  // without a single delivery
constexpr Duration kClosePatience = std::chrono::seconds(2);

// Of each line with a newline, as a reception adds it: where the last line of the file has none,
// this is not what sha256sum says.
quic::Digest::Value digest_of(const std::vector<std::string_view>& lines, std::uint64_t count) {
  quic::Digest digest;
  const std::string_view first = lines.front();
  const std::string_view last = lines[count - 1];
  digest.add(bytes_of({first.data(), last.data() + last.size()}));  // they lie in one text
  digest.add(bytes_of("\n"));
  return digest.value();
}

Duration percentile(const std::vector<Duration>& sorted, double part) {
  if (sorted.empty()) return {};
  const auto index = static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1));
  return sorted[index];
}

}  // namespace

Result<DemoSource> read_demo_source(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return failure(ExitCode::kFailed, "cannot read " + path + ", or it is empty: name a text file");
  }
  DemoSource source{.name = path, .text = std::move(text).str(), .lines = {}};
  std::string_view rest = source.text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    source.lines.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return source;
}

// ---- Reception

Reception::Reception(const SendTimes& times, std::uint64_t message_count)
    : times_(times), message_count_(message_count) {
  latencies_.reserve(message_count / SendTimes::kEvery + 1);
}

void Reception::take(const Message& message) {
  constexpr std::size_t kDigestAt = 64 * 1024;
  const std::uint64_t count = count_.load(std::memory_order_relaxed);
  if (count == 0) first_ = next_ = message.offset();
  if (message.offset() != next_) ++disordered_;
  next_ = message.offset() + 1;
  const std::uint64_t index = message.offset() - first_;
  const bool is_last = count + 1 == message_count_;
  if (is_last) last_ = net::now();
  if (index % SendTimes::kEvery == 0 && index < message_count_) {
    latencies_.push_back(net::now() - times_.at(index));
  }
  undigested_.append(message.text()).push_back('\n');
  if (undigested_.size() >= kDigestAt || is_last) {
    digest_.add(bytes_of(undigested_));
    undigested_.clear();
  }
  count_.store(count + 1, std::memory_order_release);
}

quic::Digest::Value Reception::digest() {
  digest_.add(bytes_of(undigested_));
  undigested_.clear();
  return digest_.value();
}

// ---- DemoPublisher

void DemoPublisher::run(const DemoSource& source, const DemoPhaseOptions& options) {
  const Instant began = net::now();
  for (std::uint64_t i = 0; i < options.message_count; ++i) {
    if (options.rate > 0) wait_for_turn(i, options.rate, began);
    if (i % SendTimes::kEvery == 0) times.set(i, net::now());
    if (const auto sent = publisher_.send(source.lines[i]); !sent) {
      failure_ = failure_of(sent.error());
      failure_->text = source.name + ":" + std::to_string(i + 1) + ": " + failure_->text;
      return;
    }
    published_.store(i + 1, std::memory_order_relaxed);
  }
  publisher_.flush();
}

void DemoPublisher::wait_for_turn(std::uint64_t index, double rate, Instant began) {
  const auto after = std::chrono::duration<double>(static_cast<double>(index) / rate);
  const Instant due = began + std::chrono::duration_cast<Duration>(after);
  const Instant now = net::now();
  if (now >= due) return;
  publisher_.flush();
  std::this_thread::sleep_for(due - now);
}

// ---- DemoSubscriber

Reception* DemoSubscriber::reception_of(std::string_view channel) const {
  const auto found = std::ranges::find(kDemoChannels, channel);
  if (found == kDemoChannels.end()) return nullptr;
  return receptions[static_cast<std::size_t>(found - kDemoChannels.begin())].get();
}

// ---- DemoPhase

bool DemoResult::is_right() const {
  return deliveries == deliveries_due && disordered == 0 && missed == 0 && accepted == published &&
         digests_equal == digests_due;
}

Result<std::unique_ptr<DemoPhase>> DemoPhase::open(const DemoSource& source,
                                                   const DemoPhaseOptions& options,
                                                   const ConnectionOptions& connection,
                                                   Interruption& interruption) {
  auto phase = std::unique_ptr<DemoPhase>(new DemoPhase(source, options));
  for (const std::string_view channel : kDemoChannels) {
    auto added = phase->add_publisher(channel, connection, interruption);
    if (!added) return std::unexpected(added.error());
  }
  struct Plan {
    std::string_view name;
    std::vector<std::string_view> patterns;
  };
  const std::array<Plan, 5> plans = {{{"a", {"demo.a"}},
                                      {"b", {"demo.b"}},
                                      {"c", {"demo.c"}},
                                      {"a and b", {"demo.a", "demo.b"}},
                                      {"demo.>", {"demo.>"}}}};
  for (const Plan& plan : plans) {
    auto added = phase->add_subscriber(plan.name, plan.patterns, connection, interruption);
    if (!added) return std::unexpected(added.error());
  }
  return phase;
}

Result<void> DemoPhase::add_publisher(std::string_view channel, const ConnectionOptions& connection,
                                      Interruption& interruption) {
  auto client = connect(connection, {}, interruption);
  if (!client) return std::unexpected(client.error());
  auto publisher = client->publisher(channel);
  if (!publisher) return std::unexpected(failure_of(publisher.error()));
  publishers_.push_back(std::make_unique<DemoPublisher>(std::move(*client), std::move(*publisher),
                                                        options_.message_count));
  return {};
}

Result<void> DemoPhase::add_subscriber(std::string_view name,
                                       const std::vector<std::string_view>& patterns,
                                       const ConnectionOptions& connection,
                                       Interruption& interruption) {
  auto client = connect(connection, {}, interruption);
  if (!client) return std::unexpected(client.error());
  auto subscriber = std::make_unique<DemoSubscriber>();
  subscriber->name = name;
  for (const std::string_view pattern : patterns) {
    for (std::size_t i = 0; i < kDemoChannels.size(); ++i) {
      if (!ChannelPattern::parse(pattern)->matches(*ChannelName::parse(kDemoChannels[i]))) continue;
      subscriber->receptions[i] =
          std::make_unique<Reception>(publishers_[i]->times, options_.message_count);
    }
  }
  SubscribeOptions options;
  options.on_gap = [seen = subscriber.get()](std::string_view channel, const Gap& gap) {
    if (Reception* reception = seen->reception_of(channel)) reception->miss(gap);
  };
  const auto handler = [seen = subscriber.get()](const Message& message) {
    if (Reception* reception = seen->reception_of(message.channel())) reception->take(message);
  };
  for (const std::string_view pattern : patterns) {
    auto subscription = client->subscribe(pattern, handler, options);
    if (!subscription) return std::unexpected(failure_of(subscription.error()));
    subscription->detach();
  }
  subscriber->client = std::move(*client);
  subscribers_.push_back(std::move(subscriber));
  return {};
}

std::uint64_t DemoPhase::delivered() const {
  std::uint64_t sum = 0;
  for (const auto& subscriber : subscribers_) {
    for (const auto& reception : subscriber->receptions) sum += reception ? reception->count() : 0;
  }
  return sum;
}

bool DemoPhase::complete() const {
  return std::ranges::all_of(subscribers_, [](const auto& subscriber) {
    return std::ranges::all_of(subscriber->receptions, [](const auto& reception) {
      return reception == nullptr || reception->complete();
    });
  });
}

Result<void> DemoPhase::run(Interruption& interruption, const std::function<void()>& watch) {
  began_ = net::now();
  publishing_ = publishers_.size();
  // A send that waits for room ends when its client has closed.
  interruption.on_first([this] {
    for (auto& publisher : publishers_) (void)publisher->client().close(Duration::zero());
  });
  std::vector<std::jthread> threads;
  for (auto& publisher : publishers_) {
    threads.emplace_back([this, &publisher] {
      publisher->run(source_, options_);
      --publishing_;
    });
  }
  auto waited = wait(interruption, watch);
  interruption.on_first({});
  for (auto& publisher : publishers_) {
    if (waited) (void)publisher->client().settle(kClosePatience);
    (void)publisher->client().close(Duration::zero());
  }
  threads.clear();                                                   // joins them
  for (auto& subscriber : subscribers_) subscriber->client.reset();  // and their handlers are over
  return waited;
}

std::optional<Failure> DemoPhase::publisher_failure() const {
  for (const auto& publisher : publishers_) {
    if (publisher->failure()) return publisher->failure();
  }
  return std::nullopt;
}

Result<void> DemoPhase::wait(Interruption& interruption, const std::function<void()>& watch) {
  std::uint64_t seen = 0;
  Instant moved = net::now();
  while (publishing_ > 0 || !complete()) {
    if (!interruption.sleep_until(net::now() + kLook)) {
      return failure(ExitCode::kIncomplete, "interrupted");
    }
    if (publishing_ == 0) {
      if (auto failed = publisher_failure()) return std::unexpected(std::move(*failed));
    }
    watch();
    const std::uint64_t now_seen = delivered();
    if (now_seen != seen) moved = net::now();
    seen = now_seen;
    if (net::now() - moved > kPatience) {
      return failure(ExitCode::kFailed, "nothing has arrived for 15 s, after " +
                                            std::to_string(seen) +
                                            " deliveries: is the server "
                                            "still there?");
    }
  }
  return {};
}

DemoResult DemoPhase::result() {
  DemoResult result;
  const auto digest = digest_of(source_.lines, options_.message_count);
  for (const auto& publisher : publishers_) {
    result.published += publisher->published();
    result.accepted += publisher->client().stats().accepted;
    for (std::uint64_t i = 0; i < publisher->published(); ++i) {
      result.bytes += source_.lines[i].size();
    }
  }
  Instant last = began_;
  std::vector<Duration> latencies;
  for (const auto& subscriber : subscribers_) {
    for (const auto& reception : subscriber->receptions) {
      if (!reception) continue;
      result.deliveries_due += options_.message_count;
      result.deliveries += reception->count();
      result.disordered += reception->disordered();
      result.missed += reception->missed();
      ++result.digests_due;
      result.digests_equal += reception->digest() == digest ? 1U : 0U;
      last = std::max(last, reception->last());
      latencies.insert(latencies.end(), reception->latencies().begin(),
                       reception->latencies().end());
    }
  }
  std::ranges::sort(latencies);
  result.time = last - began_;
  result.latency_p50 = percentile(latencies, 0.5);
  result.latency_p99 = percentile(latencies, 0.99);
  return result;
}

}  // namespace orzatty::apps
