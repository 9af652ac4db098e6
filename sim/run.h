// Plays a plan: chaos for as long as it says, then everything heals, and what was promised has to
// come true within a stated time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sim/checker.h"
#include "sim/plan.h"

namespace orzatty::sim {

struct Outcome {
  std::optional<Violation> violation;
  std::uint64_t hash = 0;
  Duration virtual_time = Duration::zero();
  std::uint64_t datagram_count = 0;
  // How large the seed was: what a standard one has at least is promised.
  std::uint64_t client_count = 0;
  std::uint64_t message_count = 0;
  std::uint64_t fault_count = 0;
  std::map<std::string, std::uint64_t> counts;
};

using Listener = std::function<void(Instant, std::string_view)>;
Outcome run(const Plan& plan, const Listener& listener = {});

}  // namespace orzatty::sim
