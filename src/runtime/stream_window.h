// The credit of one stream, as it is granted to the peer.
#pragma once

#include <cstdint>

#include "orzatty/limits.h"

namespace orzatty::runtime {

// Credit is bytes of the stream: with a message that is as large as the window may be, its frame
// and what introduces it must fit too, or it would wait for credit that its own end has to give
// back.
inline std::uint64_t stream_window(const Limits& limits) {
  constexpr std::uint64_t kFramesSizeMax = 1024;  // opener with a name of 255 bytes, RUN, a header
  return limits.stream_window + kFramesSizeMax;
}

}  // namespace orzatty::runtime
