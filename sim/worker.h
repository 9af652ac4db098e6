// Plays plans in processes of their own, so that an assertion that fails in one seed does not end
// the others, and is a finding like any other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/network_script.h"
#include "sim/plan.h"
#include "sim/run.h"

namespace orzatty::sim {

struct Task {
  std::uint64_t seed = 1;
  const Scenario* scenario = nullptr;
  Reduction reduction;
  std::string planted;  // the name of a bug; empty for none
  std::shared_ptr<const NetworkScript> network = {};
};
[[nodiscard]] Plan plan_of(const Task& task);

// Plays them in order, in `jobs` processes; `done` is called in the order in which they end, and
// says whether to go on.
enum class Further : std::uint8_t { kGoOn, kStop };
void play_all(const std::vector<Task>& tasks, std::size_t jobs,
              const std::function<Further(const Task&, const Outcome&)>& done);
Outcome play(const Task& task);

// The trace's hash of a seed, by a fresh process of this program, elsewhere in memory.
std::uint64_t hash_by_fresh_process(const Task& task);

}  // namespace orzatty::sim
