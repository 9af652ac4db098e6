// A network as `orzatty lab` knows it, script or preset, for all clients of a seed, in place of the
// paths that the seed draws.
#pragma once

#include <expected>
#include <string>

#include "lab/fault_script.h"
#include "sim/plan.h"

namespace orzatty::sim {

struct NetworkScript {
  std::string source;  // a preset's name, or a file's
  lab::FaultScript script;
};
// Or what is wrong with it.
std::expected<NetworkScript, std::string> load_network(const std::string& preset_or_file);

// What the seed's own paths would do is left out.
void put_on(Plan& plan, const lab::FaultScript& script);

}  // namespace orzatty::sim
