// Puts a datagram together: what stands before, and frames as they lie in a log. One thread.
#pragma once

#include <cstdint>

#include "base/log.h"
#include "session/transport.h"

namespace orzatty::session {

// `size` bytes from `begin` on. Not pinned: the transport copies them before the log can be trimmed.
void fill_datagram(Offer& offer, BytesView header, base::LogCursor begin, std::uint64_t size);

}  // namespace orzatty::session
