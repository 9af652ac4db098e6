// A machine in the world: receives datagrams, has timers, and sends. It lives in its own time,
// which the world tells it.
#pragma once

#include <optional>

#include "base/address.h"
#include "link/packet_sink.h"
#include "orzatty/time.h"
#include "quic/connection.h"
#include "sim/happening.h"

namespace orzatty::sim {

class Host {
 public:
  virtual ~Host() = default;
  // `life` of the server that sent it. What has to be answered at once goes to `sink`.
  virtual void handle(const quic::Datagram& datagram, ServerLife life, link::PacketSink& sink,
                      Instant now) = 0;
  virtual void handle_timeout(Instant now) = 0;
  [[nodiscard]] virtual std::optional<Instant> next_timeout() const = 0;
  // Everything that can be sent now.
  virtual void write(link::PacketSink& sink, Instant now) = 0;
};

}  // namespace orzatty::sim
