// Moves over whole message frames that lie in a log. One thread.
#pragma once

#include <cstdint>

#include "base/log.h"

namespace orzatty::wire {

// `cursor` stands at the beginning of a message frame, and afterwards behind `count` of them.
void skip_frames(base::LogCursor& cursor, std::uint64_t count);

// As many whole frames at the cursor as `size_max` bytes hold, but at least one; `available` bytes of
// them lie there.
struct FramesAhead {
  std::uint64_t count = 0;
  std::uint64_t size = 0;
};
[[nodiscard]] FramesAhead frames_within(base::LogCursor cursor, std::uint64_t available,
                                        std::uint64_t size_max);

}  // namespace orzatty::wire
