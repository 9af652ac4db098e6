// Processor time: what is left to compare when a machine is shared with others.
#pragma once

#include "orzatty/time.h"

namespace orzatty::apps {

// Of all threads of this process, since it began.
Duration cpu_time();

}  // namespace orzatty::apps
