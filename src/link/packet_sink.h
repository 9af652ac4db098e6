// Where finished packets go: a batch for a socket, or the links of a simulated world.
#pragma once

#include <cstddef>
#include <span>

#include "quic/connection.h"

namespace orzatty::link {

class PacketSink {
 public:
  // Room for one packet; the same until push().
  virtual std::span<std::byte> space() = 0;
  // The first packet.size bytes of space() are a packet.
  virtual void push(const quic::Packet& packet) = 0;
  // No more fits now: the socket is full. What was pushed is kept.
  [[nodiscard]] virtual bool blocked() const = 0;

 protected:
  ~PacketSink() = default;
};

}  // namespace orzatty::link
