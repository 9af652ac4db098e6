#include "sim/run.h"

#include <algorithm>
#include <memory>
#include <set>

#include "sim/entropy.h"
#include "sim/tally.h"

namespace orzatty::sim {

namespace {

using namespace std::chrono_literals;

class Run {
 public:
  Run(const Plan& plan, const Listener& listener) : plan_(plan), world_(plan.world, listener) {
    auto tally = std::make_unique<Tally>();
    tally_ = tally.get();
    world_.chronicle().add(std::move(tally));
  }

  Outcome play() {
    const Instant begin = world_.now();
    for (const PlannedClient& client : plan_.clients) add(client);
    for (std::size_t i = 0; i < plan_.intruder_count; ++i) add_intruder(i);
    if (plan_.thief) add_thief();
    for (std::size_t i = 0; i < plan_.incidents.size(); ++i) {
      if (!plan_.left_out.contains(i)) schedule(plan_.incidents[i], begin);
    }
    if (plan_.network) follow(*plan_.network);
    world_.run_for(plan_.length);
    if (plan_.network) set_networks(plan_.network->network);
    std::optional<Violation> violation = settle();
    if (!violation) {
      world_.chronicle().finish();
      violation = world_.chronicle().violation();
    }
    count();
    return {.violation = violation,
            .hash = world_.trace().hash(),
            .virtual_time = world_.now() - begin,
            .datagram_count = world_.datagram_count(),
            .client_count = clients_.size(),
            .message_count = tally_->count("messages published"),
            .fault_count = plan_.faults.size(),
            .counts = tally_->counts()};
  }

 private:
  void add(const PlannedClient& client) {
    const ClientIndex index = world_.add_client(client.name, client.place);
    clients_.push_back(index);
    for (const PlannedSubscription& subscription : client.subscriptions) {
      world_.subscribe(index, subscription.pattern, subscription.start);
    }
    for (const std::string& pattern : client.answers) world_.answer(index, pattern);
    for (const Feed& feed : client.feeds) world_.feed(index, feed);
  }
  void add_intruder(std::size_t number) {
    const ClientIndex index = world_.add_intruder("intruder" + std::to_string(number), {});
    world_.subscribe(index, ">");
    world_.feed(index, {.channel = "room.0", .count = 10});
  }

  // Is cut off for long enough to be given up, and comes back as somebody else.
  void add_thief() {
    const ClientIndex thief = world_.add_client("thief", {});
    world_.subscribe(thief, "room.*");
    const auto open = [this, thief](bool is_open) {
      world_.up(thief).open = world_.down(thief).open = is_open;
    };
    world_.at(world_.now() + 4s, [open] { open(false); });
    world_.at(world_.now() + 16s, [open] { open(true); });
  }

  // All that a script does until the end of the run, after which only what always holds is left.
  void follow(const lab::FaultScript& script) {
    const Instant begin = world_.now();
    for (auto edge = script.next_change(Duration::zero()); edge && *edge < plan_.length;
         edge = script.next_change(*edge)) {
      world_.at(begin + *edge, [this, &network = script.at(*edge)] { set_networks(network); });
    }
    Duration since_rebinding = Duration::zero();
    constexpr Duration kTick = 10ms;  // no script may rebind more often
    for (Duration at = kTick; at < plan_.length; at += kTick) {
      since_rebinding += kTick;
      const auto& every = script.at(at).rebind_every;
      if (!every || since_rebinding < *every) continue;
      since_rebinding = Duration::zero();
      world_.at(begin + at, [this] {
        for (const ClientIndex client : clients_) world_.rebind(client);
      });
    }
  }
  void set_networks(const lab::Network& network) {
    for (const ClientIndex client : clients_) {
      world_.up(client) = network.up;
      world_.down(client) = network.down;
    }
  }

  void schedule(const Incident& incident, Instant begin) {
    if (clients_.empty()) return;
    const ClientIndex client = clients_[incident.client % clients_.size()];
    world_.at(begin + incident.at, [this, incident, client] { strike(incident, client); });
    if (incident.at + incident.lasts < plan_.length) {
      world_.at(begin + incident.at + incident.lasts,
                [this, incident, client] { mend(incident, client); });
    }
  }
  void strike(const Incident& incident, ClientIndex client) {
    switch (incident.fault) {
      case Fault::kPartition:
        world_.up(client).open = world_.down(client).open = false;
        break;
      case Fault::kOneWayPartition:
        one_way(incident, client).open = false;
        break;
      case Fault::kRebinding:
        world_.rebind(client);
        break;
      case Fault::kMove:
        world_.move(client);
        break;
      case Fault::kClientPause:
        world_.pause_client(client);
        break;
      case Fault::kServerPause:
        world_.pause_server();
        break;
      case Fault::kClientCrash:
        world_.kill_client(client);
        break;
      case Fault::kServerCrash:
        world_.crash_server();
        break;
      default:
        return;
    }
    tally_->add("incident " + std::string(name(incident.fault)));
  }
  void mend(const Incident& incident, ClientIndex client) {
    switch (incident.fault) {
      case Fault::kPartition:
        world_.up(client).open = world_.down(client).open = true;
        return;
      case Fault::kOneWayPartition:
        one_way(incident, client).open = true;
        return;
      case Fault::kClientPause:
        return world_.wake_client(client);
      case Fault::kServerPause:
        return world_.wake_server();
      case Fault::kClientCrash:
        return world_.start_client(client);
      case Fault::kServerCrash:
        return world_.start_server();
      default:
        return;
    }
  }
  Conditions& one_way(const Incident& incident, ClientIndex client) {
    return incident.at.count() % 2 == 0 ? world_.up(client) : world_.down(client);
  }

  // Liveness: 15 s, three round trips, what there is to publish, and to carry: at the rate of the
  // slowest path, or a window for each round trip when that is less, for every subscription that
  // may want it; and requests have their time.
  [[nodiscard]] Duration time_to_settle() const {
    double bytes = 0;
    double asking = 0;  // in seconds
    double readings = 1;
    double round_trip_max = 0;  // in seconds
    double rate_min = 1e6;
    for (const PlannedClient& client : plan_.clients) {
      constexpr double kHeaders = 100;
      for (const Feed& feed : client.feeds) {
        bytes += static_cast<double>(feed.count) * (static_cast<double>(feed.size_max) + kHeaders);
        asking = std::max(asking, time_to_ask(feed));
      }
      readings += static_cast<double>(client.subscriptions.size());
      for (const Conditions* path : {&client.place.link.up, &client.place.link.down}) {
        round_trip_max = std::max(round_trip_max, seconds(2 * (path->delay + path->jitter)));
        if (path->rate > 0) rate_min = std::min(rate_min, static_cast<double>(path->rate));
      }
    }
    const double window = plan_.world.server.limits.stream_window;
    rate_min = std::min(rate_min, window / (2 * round_trip_max + 0.01));
    const double time = 15 + 3 * round_trip_max + readings * bytes / rate_min + asking;
    return publishing_left() + std::chrono::milliseconds(static_cast<std::int64_t>(time * 1000));
  }
  // Until the last request is over, with as many at a time as may wait.
  [[nodiscard]] double time_to_ask(const Feed& feed) const {
    if (!feed.asks_for) return 0;
    const std::uint64_t rounds = 1 + feed.count / plan_.world.server.limits.request_count_max;
    return seconds(*feed.asks_for) * static_cast<double>(rounds);
  }
  // How long feeds go on after the end of the run, and a tenth more, as their pace is by chance.
  [[nodiscard]] Duration publishing_left() const {
    Duration left = Duration::zero();
    for (const PlannedClient& client : plan_.clients) {
      for (const Feed& feed : client.feeds) {
        const auto bursts = static_cast<std::int64_t>(2 * feed.count / (feed.burst_max + 1) + 1);
        left = std::max(left, feed.from + feed.every * bursts * 11 / 10 - plan_.length);
      }
    }
    return left;
  }
  static double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e9; }
  std::optional<Violation> settle() {
    world_.heal();
    const Instant end = world_.now() + time_to_settle();
    std::string who = "nobody";
    while (!world_.failed() && world_.now() < end) {
      world_.run_for(20ms);
      who = world_.unquiet();
      if (who.empty()) break;
      world_.chronicle().handle(StillWaiting{who});
    }
    if (world_.failed() || who.empty()) return world_.chronicle().violation();
    return Violation{"liveness", who};
  }

  void count() {
    const PathCounts paths = world_.path_counts();
    tally_->add("datagrams lost", paths.lost);
    tally_->add("datagrams lost in bursts", paths.lost_in_burst);
    tally_->add("datagrams lost by full queues", paths.overflowed);
    tally_->add("datagrams too large for a path", paths.too_large);
    tally_->add("datagrams lost in partitions", paths.cut);
    tally_->add("datagrams reordered", paths.reordered);
    tally_->add("datagrams duplicated", paths.duplicated);
    tally_->add("datagrams corrupted", paths.corrupted);
    tally_->add("datagrams truncated", paths.truncated);
    tally_->add("intruder refused", world_.server().refused_count);
    tally_->add("subscriber told to be slow", world_.server().slow_count);
    for (const ClientIndex client : clients_) {
      const std::uint64_t count = world_.client(client).connected_count();
      tally_->add("client connected again", count > 0 ? count - 1 : 0);
    }
    if (world_.server().running()) {
      const hub::HubCounters& hub = world_.server().engine().hub().counters();
      tally_->add("hub took a duplicate", hub.duplicates);
      tally_->add("hub rejected", hub.rejected);
    }
    std::set<DeliveryMode> modes;
    for (const hub::ChannelRule& rule : plan_.world.server.rules) modes.insert(rule.config.mode);
    for (const DeliveryMode mode : modes) {
      tally_->add("seed with mode " + std::string(orzatty::name(mode)));
    }
    // Of incidents it is counted that they happened.
    for (const Fault fault : plan_.faults) tally_->add("seed with " + std::string(name(fault)));
  }

  const Plan& plan_;
  World world_;
  Tally* tally_ = nullptr;  // the chronicle's
  std::vector<ClientIndex> clients_;
};

}  // namespace

Outcome run(const Plan& plan, const Listener& listener) { return Run(plan, listener).play(); }

}  // namespace orzatty::sim
