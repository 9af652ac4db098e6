// Builds the packets of one connection by pulling bytes from the session that it carries.
#pragma once

#include <cstddef>
#include <cstdint>

#include "link/packet_sink.h"
#include "link/stream_map.h"
#include "orzatty/time.h"
#include "quic/connection.h"
#include "session/send_table.h"

namespace orzatty::link {

enum class BuildResult : std::uint8_t {
  kDone,     // nothing more can be sent now
  kTurnOver, // there is more, but others shall have their turn
  kClosed,   // the connection is closing or gone
};

// `sends` and `source` are null while no session is carried yet: then only what QUIC itself has to say
// is written. At most `bytes_max` go out in one call.
struct Carried {
  session::SendTable* sends = nullptr;
  session::Refill* source = nullptr;
  StreamMap* streams = nullptr;
};
BuildResult build_packets(quic::Connection& connection, const Carried& carried, PacketSink& sink,
                          std::size_t bytes_max, Instant now);

}  // namespace orzatty::link
