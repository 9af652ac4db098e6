#include "lab/fault_script.h"

#include <algorithm>

namespace orzatty::lab {
namespace {

using namespace std::chrono_literals;

// Below it, sockets would be opened faster than a lab can replace them.
constexpr Duration kRebindEveryMin = 10ms;

bool is_share(double value) { return value >= 0 && value <= 1; }

std::optional<std::string_view> problem_of_conditions(const Conditions& conditions) {
  for (const double share : {conditions.loss, conditions.bursts.begins, conditions.bursts.ends,
                             conditions.bursts.loss, conditions.reordering, conditions.duplication,
                             conditions.corruption, conditions.truncation}) {
    if (!is_share(share)) return "a probability is from 0 to 1";
  }
  return std::nullopt;
}

}  // namespace

bool Phase::holds_at(Duration elapsed) const {
  if (elapsed < from) return false;
  const Duration since = every ? (elapsed - from) % *every : elapsed - from;
  return !to || since < *to - from;
}

std::optional<Duration> Phase::next_edge(Duration elapsed) const {
  if (elapsed < from) return from;
  if (!to) return std::nullopt;
  const Duration lasts = *to - from;
  const Duration began = every ? elapsed - (elapsed - from) % *every : from;
  if (elapsed < began + lasts) return began + lasts;
  if (!every) return std::nullopt;
  return began + *every;
}

const Network& FaultScript::at(Duration elapsed) const {
  const Network* holding = &network;
  for (const Phase& phase : phases) {
    if (phase.holds_at(elapsed)) holding = &phase.network;
  }
  return *holding;
}

std::optional<Duration> FaultScript::next_change(Duration elapsed) const {
  std::optional<Duration> next;
  for (const Phase& phase : phases) {
    const auto edge = phase.next_edge(elapsed);
    if (edge && (!next || *edge < *next)) next = edge;
  }
  return next;
}

std::optional<std::string_view> problem_of(const Phase& phase) {
  if (phase.to && *phase.to <= phase.from) return "'to' must be later than 'from'";
  if (phase.every && !phase.to)
    return "'every' needs 'to': when does it end before it begins again?";
  if (phase.every && *phase.every < *phase.to - phase.from) {
    return "'every' is shorter than the phase itself";
  }
  return problem_of(phase.network);
}

std::optional<std::string_view> problem_of(const Network& network) {
  if (network.rebind_every && *network.rebind_every < kRebindEveryMin) {
    return "rebind_every must be 10ms or more";
  }
  if (const auto problem = problem_of_conditions(network.up)) return problem;
  return problem_of_conditions(network.down);
}

}  // namespace orzatty::lab
