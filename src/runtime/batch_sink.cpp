#include "runtime/batch_sink.h"

#include <algorithm>

namespace orzatty::runtime {

void BatchSink::add(net::UdpSocket socket) {
  ports_.push_back(std::make_unique<Port>(std::move(socket)));
  current_ = 0;
  blocked_ = false;
}

std::span<std::byte> BatchSink::space() {
  Port& port = *ports_[current_];
  std::span<std::byte> room = port.batch.space(kPacketSizeMax);
  if (room.empty()) {
    flush(port);
    room = port.batch.space(kPacketSizeMax);
  }
  spilled_ = room.empty();
  if (!spilled_) return room;
  blocked_ = true;
  return spill_;
}

// Several may have the same port, each at an address of its own; else it is one that is bound to
// all addresses.
std::size_t BatchSink::port_of(const base::Address& local) const {
  std::size_t found = current_;
  for (std::size_t i = ports_.size(); i-- > 0;) {
    const base::Address& bound = ports_[i]->socket.local_address();
    if (bound == local) return i;
    if (bound.family == local.family && bound.port == local.port) found = i;
  }
  return found;
}

void BatchSink::push(const quic::Packet& packet) {
  if (spilled_) return;  // lost as on a full link; QUIC sends it again
  const std::size_t index = ports_.size() == 1 ? 0 : port_of(packet.local);
  if (index != current_) {
    const std::span<std::byte> from = ports_[current_]->batch.space(kPacketSizeMax);
    current_ = index;
    const std::span<std::byte> to = space();
    if (spilled_) return;
    std::copy_n(from.begin(), packet.size, to.begin());
  }
  ports_[current_]->batch.push(packet.size, packet.local, packet.remote, packet.ecn);
}

void BatchSink::flush(Port& port) {
  // That nobody listens at the other side would be a hint, which can be forged.
  if (port.batch.flush(port.socket) == net::SendStatus::kBlocked) blocked_ = true;
}

void BatchSink::flush() {
  blocked_ = false;  // what is still blocked says so again
  for (const auto& port : ports_) {
    if (!port->batch.empty()) flush(*port);
  }
}

void BatchSink::unblock() {
  blocked_ = false;
  flush();
}

}  // namespace orzatty::runtime
