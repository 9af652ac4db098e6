// Takes the place of src/base/planted.h in the simulator's build: one bug at a time can be planted.
#pragma once

#include "base/planted_bug.h"

namespace orzatty::base {

inline PlantedBug planted_bug = PlantedBug::kNone;

inline bool planted(PlantedBug bug) { return planted_bug == bug; }
inline void plant(PlantedBug bug) { planted_bug = bug; }

}  // namespace orzatty::base
