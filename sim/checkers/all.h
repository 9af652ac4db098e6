// All checkers of a world, in the order in which they are told.
#pragma once

#include <memory>
#include <vector>

#include "sim/archive.h"
#include "sim/checker.h"
#include "sim/server_host.h"
#include "sim/trace.h"

namespace orzatty::sim {

std::vector<std::unique_ptr<Checker>> all_checkers(Archive& archive, const ServerConfig& server,
                                                   const Trace& trace);

}  // namespace orzatty::sim
