// Whether a bug is planted: never, in everything that is built from these sources but the simulator,
// which finds sim/planted/base/planted.h in place of this file.
#pragma once

#include "base/planted_bug.h"

namespace orzatty::base {

constexpr bool planted(PlantedBug) { return false; }

}  // namespace orzatty::base
