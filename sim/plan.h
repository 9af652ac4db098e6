// What a seed will do, before it is done: who is there, over which paths, what they publish and
// read, and what goes wrong when. A value, so that a failing one can be made smaller.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lab/fault_script.h"
#include "sim/faults.h"
#include "sim/world.h"

namespace orzatty::sim {

// What is left out of a seed's plan. Whatever stays is drawn as it was.
struct Reduction {
  FaultSet faults;                  // left out
  std::set<std::size_t> incidents;  // left out, by number
  std::size_t client_count_max = std::numeric_limits<std::size_t>::max();
  std::uint64_t message_count_max = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t seconds_max = std::numeric_limits<std::uint64_t>::max();
  bool operator==(const Reduction&) const = default;
};
// As options of the program.
std::string text_of(const Reduction& reduction);

// How seeds are drawn.
struct Scenario {
  std::string_view name;
  std::string_view what;
  FaultSet always;  // besides those that the table of faults draws
  bool swarm = true;
  std::uint64_t message_count = 2000;
  // What its clients do besides.
  enum class Habit : std::uint8_t { kNone, kAsk, kChangePublishers };
  Habit habit = Habit::kNone;
};
std::vector<Scenario> all_scenarios();
const Scenario* find_scenario(std::string_view name);

struct PlannedSubscription {
  std::string pattern;
  StartPosition start;
};
struct PlannedClient {
  std::string name;
  World::ClientPlace place;
  std::vector<Feed> feeds;
  std::vector<PlannedSubscription> subscriptions;
  std::vector<std::string> answers = {};  // patterns
};
// A fault that happens at a time, to somebody, for a while.
struct Incident {
  Fault fault = Fault::kPartition;
  std::size_t client = 0;  // of the planned ones
  Duration at = Duration::zero();
  Duration lasts = Duration::zero();
};
struct Plan {
  std::uint64_t seed = 1;
  FaultSet faults;
  WorldConfig world;
  std::vector<PlannedClient> clients;
  std::size_t intruder_count = 0;
  bool thief = false;
  std::vector<Incident> incidents;  // those that were left out have no effect, but a number
  std::set<std::size_t> left_out;
  Duration length = std::chrono::seconds(30);
  std::optional<lab::FaultScript> network;  // of all clients, in place of paths of their own
};

Plan draw_plan(std::uint64_t seed, const Scenario& scenario, const Reduction& reduction = {});

}  // namespace orzatty::sim
