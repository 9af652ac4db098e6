// Makes a failing seed smaller: fewer faults, incidents, clients, messages and seconds, for as long
// as the same checker finds something.
#pragma once

#include <functional>

#include "sim/worker.h"

namespace orzatty::sim {

// The smallest task that was found to fail as `task` does; `tried` is told of each that does.
Task shrink(const Task& task, const Outcome& outcome,
            const std::function<void(const Task&, const Outcome&)>& smaller);

}  // namespace orzatty::sim
