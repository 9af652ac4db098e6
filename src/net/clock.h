// The only clock of the house. Pure layers are given its values as arguments.
#pragma once

#include <cstdint>

#include "orzatty/time.h"

namespace orzatty::net {

// Monotonic, about 20 ns a call: read once per batch, not once per packet. Any thread.
[[nodiscard]] Instant now();

// Seconds since 1970 by the wall clock, for certificates and log lines. It may jump.
[[nodiscard]] std::int64_t unix_seconds();

}  // namespace orzatty::net
