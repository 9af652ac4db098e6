// Moves over whole message frames that lie in a log. One thread.
#pragma once

#include <cstdint>

#include "base/log.h"

namespace orzatty::hub {

// `cursor` stands at the beginning of a message frame, and afterwards behind `count` of them.
void skip_frames(base::LogCursor& cursor, std::uint64_t count);

}  // namespace orzatty::hub
