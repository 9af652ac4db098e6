#include "sim/plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace orzatty::sim {

namespace {

using namespace std::chrono_literals;

// The same relative chance for 1 % as for 10 %.
double between(base::Prng& chance, double least, double most) {
  const double share = static_cast<double>(chance.next() >> 11) * 0x1.0p-53;
  return least * std::pow(most / least, share);
}
Duration between(base::Prng& chance, Duration least, Duration most) {
  return Duration(static_cast<std::int64_t>(
      between(chance, static_cast<double>(least.count()), static_cast<double>(most.count()))));
}
// Above that of any process of the first.
constexpr std::uint64_t kTwinEpoch = 1000;
// With what is said about it, as much as any datagram holds.
constexpr std::size_t kInDatagram = 1000;

std::size_t pick(base::Prng& chance, std::size_t count) {
  return static_cast<std::size_t>(chance.below(count));
}

class Drawing {
 public:
  Drawing(std::uint64_t seed, const Scenario& scenario, const Reduction& reduction)
      : scenario_(scenario), reduction_(reduction), streams_(seed) {
    plan_.seed = seed;
  }

  Plan draw() {
    draw_faults();
    draw_server();
    draw_clients();
    draw_incidents();
    return std::move(plan_);
  }

 private:
  [[nodiscard]] bool has(Fault fault) const { return plan_.faults.contains(fault); }
  // Whether a fault that the seed has is at work in one place of several.
  [[nodiscard]] bool strikes(Fault fault, base::Prng& chance) const {
    return chance.chance(0.7) && has(fault);
  }

  void draw_faults() {
    base::Prng chance = streams_.stream("faults");
    for (const FaultRow& row : kFaults) {
      const bool drawn = chance.chance(row.chance);
      if (scenario_.swarm && drawn) plan_.faults.insert(row.fault);
    }
    while (scenario_.swarm && plan_.faults.size() < kFaultCountMin) {
      plan_.faults.insert(kFaults[pick(chance, kFaults.size())].fault);
    }
    plan_.faults.insert(scenario_.always.begin(), scenario_.always.end());
    for (const Fault fault : reduction_.faults) plan_.faults.erase(fault);
    const auto seconds =
        static_cast<std::int64_t>(std::min<std::uint64_t>(30, reduction_.seconds_max));
    plan_.length = std::chrono::seconds(seconds);
    plan_.intruder_count = has(Fault::kIntruder) ? 2 : 0;
    plan_.thief = has(Fault::kThief);
  }

  void draw_server() {
    draw_limits();
    base::Prng of_directs = streams_.stream("directs");
    if (of_directs.chance(0.5)) plan_.world.server.direct_count = 60;
    for (std::size_t i = 0; i < channel_count_; ++i) {
      base::Prng of_channel = streams_.stream("channel", i);
      ChannelConfig config = draw_channel(of_channel);
      config.mode = draw_mode(streams_.stream("mode", i));
      plan_.world.server.rules.push_back({*ChannelPattern::parse(channel(i)), config});
    }
  }
  static std::string channel(std::size_t index) { return "room." + std::to_string(index); }

  void draw_limits() {
    base::Prng chance = streams_.stream("limits");
    plan_.world.seed = plan_.seed;
    const Duration offset = between(chance, 1ms, 1h);
    if (has(Fault::kClockOffset)) plan_.world.server_clock_offset = offset;
    Limits& limits = plan_.world.server.limits;
    const auto size = static_cast<std::uint32_t>(16 * 1024) << chance.below(5);
    if (has(Fault::kSmallBuffers)) {
      limits.message_size_max = 16 * 1024;
      limits.outbox_size_max = limits.stream_window_max = size;
      limits.outbox_size = limits.stream_window = std::max<std::uint32_t>(size / 4, 16 * 1024);
      limits.connection_window = 2 * size;
      limits.channel_size_max = 2 * size;
      limits.ack_every = 16;
      limits.hub_size_max = 512 * 1024;
    }
    const Duration session_retention = between(chance, 1s, 30s);
    if (has(Fault::kShortRetention)) limits.session_retention = session_retention;
    channel_count_ = 1 + pick(chance, 4);
    base::Prng of_places = streams_.stream("places");
    const auto streams = static_cast<std::uint32_t>(8 + of_places.below(64));
    const auto requests = static_cast<std::uint32_t>(16 + of_places.below(32));
    if (has(Fault::kSmallBuffers)) limits.passing_stream_count_max = streams;
    few_requests_ = of_places.chance(0.5);
    if (few_requests_) limits.request_count_max = requests;
  }

  // Two fifths of the channels keep an order and everything, and each other mode has a fifth.
  static DeliveryMode draw_mode(base::Prng chance) {
    constexpr std::array kModes = {DeliveryMode::kReliable, DeliveryMode::kReliable,
                                   DeliveryMode::kUnordered, DeliveryMode::kLatest};
    const DeliveryMode mode = kModes[pick(chance, kModes.size())];
    return chance.chance(0.2) ? DeliveryMode::kDatagram : mode;
  }

  [[nodiscard]] ChannelConfig draw_channel(base::Prng& chance) const {
    ChannelConfig config;
    config.retention = {.count = 0, .bytes = 0, .age = Duration::zero()};
    constexpr std::array kPolicies = {SlowPolicy::kWait,   SlowPolicy::kWait,
                                      SlowPolicy::kWait,   SlowPolicy::kDropOldest,
                                      SlowPolicy::kLatest, SlowPolicy::kDisconnect};
    config.slow_policy = kPolicies[pick(chance, kPolicies.size())];
    const std::uint64_t kind = chance.below(3);
    const std::uint64_t much = 1 + chance.below(300);
    if (!strikes(Fault::kShortRetention, chance)) return config;
    if (kind == 0) config.retention.count = much;
    if (kind == 1) config.retention.bytes = much * 256;
    if (kind == 2) config.retention.age = std::chrono::milliseconds(much * 30);
    return config;
  }

  [[nodiscard]] Conditions draw_conditions(base::Prng chance, Duration delay) const {
    Conditions drawn = ordinary_path(delay);
    const auto set = [&](Fault fault, double& value, double least, double most) {
      const double drawn_value = between(chance, least, most);
      if (strikes(fault, chance)) value = drawn_value;
    };
    set(Fault::kLoss, drawn.loss, 0.001, 0.4);
    set(Fault::kBursts, drawn.bursts.begins, 0.0005, 0.02);
    set(Fault::kReordering, drawn.reordering, 0.01, 0.3);
    set(Fault::kDuplication, drawn.duplication, 0.005, 0.1);
    set(Fault::kCorruption, drawn.corruption, 0.001, 0.3);
    set(Fault::kTruncation, drawn.truncation, 0.001, 0.05);
    const Duration jitter = between(chance, delay / 20, delay);
    if (strikes(Fault::kJitter, chance)) drawn.jitter = jitter;
    const double rate = between(chance, 30e3, 1e6);
    const double queue = between(chance, 4e3, 256e3);
    if (strikes(Fault::kLowRate, chance)) {
      drawn.rate = static_cast<std::uint64_t>(rate);
      drawn.queue_bytes = static_cast<std::uint64_t>(queue);
    }
    const std::size_t mtu = 1200 + pick(chance, 272);
    if (strikes(Fault::kSmallMtu, chance)) drawn.mtu = mtu;
    return drawn;
  }

  void draw_clients() {
    base::Prng chance = streams_.stream("clients");
    const std::size_t count = 3 + pick(chance, 4);
    const std::uint64_t messages = scenario_.message_count + chance.below(500);
    asking_ = streams_.stream("asking").chance(0.35);
    for (std::size_t i = 0; i < std::min(count, reduction_.client_count_max); ++i) {
      plan_.clients.push_back(draw_client(i, messages / count + 1));
    }
    if (streams_.stream("named producers").chance(0.3) || has(Fault::kTwin)) {
      for (PlannedClient& client : plan_.clients) name_producers(client);
    }
    if (has(Fault::kTwin) && plan_.clients.size() == count) add_twin();
    for (std::size_t i = 0; i < plan_.clients.size(); ++i) draw_habit(plan_.clients[i], i);
  }

  // By a stream of its own: the other scenarios' seeds stay as they are.
  void draw_habit(PlannedClient& client, std::size_t index) {
    base::Prng chance = streams_.stream("habit", index);
    Feed& feed = client.feeds.front();
    if (scenario_.habit == Scenario::Habit::kAsk || asking_) {
      // As many as wait at once take that long, over and over.
      const Duration patience_max = few_requests_ ? Duration(500ms) : Duration(10s);
      const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(
          between(chance, 20ms, patience_max));
      const bool asks = chance.chance(0.5) || scenario_.habit == Scenario::Habit::kAsk;
      if (asks) make_ask(feed, patience);
      const std::string one = channel(pick(chance, channel_count_));
      if (chance.chance(0.5)) client.answers.push_back(chance.chance(0.3) ? "room.*" : one);
    } else if (scenario_.habit == Scenario::Habit::kChangePublishers && feed.producer.empty()) {
      feed.publisher_ends_after = 1 + chance.below(20);
    }
  }

  // Nobody replies to a datagram.
  static void make_ask(Feed& feed, std::chrono::milliseconds patience) {
    feed.asks_for = patience;
    if (feed.mode == DeliveryMode::kDatagram) feed.mode = DeliveryMode::kReliable;
  }

  [[nodiscard]] PlannedClient draw_client(std::size_t index, std::uint64_t messages) {
    base::Prng chance = streams_.stream("client's plan", index);
    PlannedClient client;
    client.name = "client" + std::to_string(index);
    const Duration delay = between(chance, 200us, 250ms);
    client.place.link = {draw_conditions(streams_.stream("up conditions", index), delay),
                         draw_conditions(streams_.stream("down conditions", index), delay)};
    const Duration offset = between(chance, 1ms, 1h);
    if (has(Fault::kClockOffset)) client.place.clock_offset = offset;
    const std::size_t feeds = 1 + pick(chance, 2);
    for (std::size_t i = 0; i < feeds; ++i) {
      client.feeds.push_back(draw_feed(chance, messages / feeds + 1));
      draw_manner(client.feeds.back(), streams_.stream("manner", 2 * index + i));
    }
    const std::size_t subscriptions = 1 + pick(chance, 2);
    for (std::size_t i = 0; i < subscriptions; ++i) {
      client.subscriptions.push_back(draw_subscription(chance));
    }
    return client;
  }

  static void name_producers(PlannedClient& client) {
    for (std::size_t i = 0; i < client.feeds.size(); ++i) {
      client.feeds[i].producer = client.name + "'s " + std::to_string(i);
    }
  }
  // Of the first: publishes all that the first may be kept from.
  void add_twin() {
    base::Prng chance = streams_.stream("twin");
    PlannedClient twin = plan_.clients.front();
    twin.place.identity = std::exchange(twin.name, twin.name + "'s twin");
    twin.place.epoch = kTwinEpoch;
    for (Feed& feed : twin.feeds) feed.from = between(chance, 1s, 7s);
    twin.subscriptions = {draw_subscription(chance)};
    plan_.clients.push_back(std::move(twin));
  }

  [[nodiscard]] Feed draw_feed(base::Prng& chance, std::uint64_t count) const {
    Feed feed;
    feed.channel = channel(pick(chance, channel_count_));
    feed.count = std::min(count, reduction_.message_count_max);
    feed.from = between(chance, 1ms, 5s);
    feed.burst_max = std::array<std::uint64_t, 4>{1, 5, 20, 100}[pick(chance, 4)];
    // Spread over what is left of the run.
    const std::uint64_t bursts = count / ((feed.burst_max + 1) / 2 + 1) + 1;
    feed.every = Duration((plan_.length * 3 / 4).count() / static_cast<std::int64_t>(bursts));
    const auto time_to_live =
        std::chrono::duration_cast<std::chrono::milliseconds>(between(chance, 20ms, 5s));
    if (strikes(Fault::kDeadlines, chance)) feed.time_to_live = time_to_live;
    feed.size_max = chance.chance(0.1) ? 8'000 : 64 + pick(chance, 400);
    return feed;
  }

  // Mostly in the mode of its channel, which takes what keeps its order too.
  void draw_manner(Feed& feed, base::Prng chance) const {
    feed.mode = config_of(plan_.world.server, feed.channel).mode;
    if (feed.mode == DeliveryMode::kLatest) feed.key_count = 1 + chance.below(40);
    if (chance.chance(0.2)) feed.mode = DeliveryMode::kReliable;
    if (feed.mode == DeliveryMode::kDatagram) feed.size_max = std::min(feed.size_max, kInDatagram);
  }

  [[nodiscard]] PlannedSubscription draw_subscription(base::Prng& chance) const {
    const std::string one = channel(pick(chance, channel_count_));
    const std::string pattern = chance.chance(0.3) ? "room.*" : one;
    switch (chance.below(8)) {
      case 0:
        return {pattern, StartPosition::last(1 + chance.below(50))};
      case 1:
        return {pattern, StartPosition::latest()};
      case 2:
      case 3:
        return {pattern, StartPosition::live()};
      default:
        return {pattern, StartPosition::start()};
    }
  }

  void draw_incidents() {
    plan_.left_out = reduction_.incidents;
    add_incidents(Fault::kPartition, 3, 200ms, 15s);
    add_incidents(Fault::kOneWayPartition, 3, 200ms, 15s);
    add_incidents(Fault::kRebinding, 8, 1ns, 2ns);
    add_incidents(Fault::kMove, 6, 1ns, 2ns);
    add_incidents(Fault::kClientPause, 3, 100ms, 15s);
    add_incidents(Fault::kServerPause, 2, 100ms, 15s);
    add_incidents(Fault::kClientCrash, 4, 50ms, 5s);
    add_incidents(Fault::kServerCrash, 3, 50ms, 5s);
  }
  // Drawn whether the seed has the fault or not, so that the numbers of the others stay.
  void add_incidents(Fault fault, std::uint64_t count_max, Duration lasts_min, Duration lasts_max) {
    base::Prng chance = streams_.stream(name(fault));
    const std::uint64_t count = 1 + chance.below(count_max);
    for (std::uint64_t i = 0; i < count; ++i) {
      Incident incident{fault, static_cast<std::size_t>(chance.below(16)),
                        between(chance, 100ms, plan_.length),
                        between(chance, lasts_min, lasts_max)};
      if (!has(fault)) plan_.left_out.insert(plan_.incidents.size());
      plan_.incidents.push_back(incident);
    }
  }

  const Scenario& scenario_;
  const Reduction& reduction_;
  Streams streams_;
  Plan plan_;
  std::size_t channel_count_ = 1;
  bool few_requests_ = false;
  bool asking_ = false;
};

}  // namespace

Plan draw_plan(std::uint64_t seed, const Scenario& scenario, const Reduction& reduction) {
  return Drawing(seed, scenario, reduction).draw();
}

std::vector<Scenario> all_scenarios() {
  return {{"standard", "a random subset of all faults, at least three", {}, true, 2000},
          {"calm", "no faults at all", {}, false, 2000},
          {"crashes",
           "servers and clients die all the time",
           {Fault::kServerCrash, Fault::kClientCrash},
           true,
           2000},
          {"roaming",
           "addresses change under bad paths",
           {Fault::kRebinding, Fault::kMove, Fault::kLoss},
           true,
           2000},
          {"crowded",
           "buffers and retention are short, paths are slow",
           {Fault::kSmallBuffers, Fault::kShortRetention, Fault::kLowRate},
           true,
           2000},
          {"asking",
           "every client sends requests, and half of them answer",
           {},
           true,
           2000,
           Scenario::Habit::kAsk},
          {"publishers",
           "publishers end after a few messages, and others begin",
           {},
           true,
           2000,
           Scenario::Habit::kChangePublishers}};
}

const Scenario* find_scenario(std::string_view name) {
  static const std::vector<Scenario> kAll = all_scenarios();
  const auto found = std::ranges::find(kAll, name, &Scenario::name);
  return found == kAll.end() ? nullptr : &*found;
}

std::string text_of(const Reduction& reduction) {
  std::string text;
  for (const Fault fault : reduction.faults)
    text += " --without '" + std::string(name(fault)) + "'";
  for (const std::size_t incident : reduction.incidents) {
    text += " --skip " + std::to_string(incident);
  }
  const Reduction whole;
  if (reduction.client_count_max != whole.client_count_max) {
    text += " --clients " + std::to_string(reduction.client_count_max);
  }
  if (reduction.message_count_max != whole.message_count_max) {
    text += " --messages " + std::to_string(reduction.message_count_max);
  }
  if (reduction.seconds_max != whole.seconds_max) {
    text += " --seconds " + std::to_string(reduction.seconds_max);
  }
  return text;
}

}  // namespace orzatty::sim
