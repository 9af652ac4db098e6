// The sockets of a server or client as a sink for packets: each packet goes out by the socket that
// its local address belongs to. One thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "link/packet_sink.h"
#include "net/send_batch.h"
#include "net/udp_socket.h"

namespace orzatty::runtime {

class BatchSink final : public link::PacketSink {
 public:
  static constexpr std::size_t kPacketSizeMax = 1500;

  void add(net::UdpSocket socket);
  void clear() { ports_.clear(); }
  [[nodiscard]] std::size_t size() const { return ports_.size(); }
  [[nodiscard]] net::UdpSocket& socket(std::size_t index) { return ports_[index]->socket; }

  [[nodiscard]] std::span<std::byte> space() override;
  void push(const quic::Packet& packet) override;
  [[nodiscard]] bool blocked() const override { return blocked_; }

  // Sends what was collected.
  void flush();
  // A socket may have room again.
  void unblock();

 private:
  struct Port {
    explicit Port(net::UdpSocket made) : socket(std::move(made)) {}
    net::UdpSocket socket;
    net::SendBatch batch;
  };

  [[nodiscard]] std::size_t port_of(const base::Address& local) const;
  void flush(Port& port);

  std::vector<std::unique_ptr<Port>> ports_;
  std::size_t current_ = 0;  // where space() is taken from: packets come in rows
  bool blocked_ = false;
  bool spilled_ = false;  // the last space() was `spill_`, as there was no other
  std::array<std::byte, kPacketSizeMax> spill_{};
};

}  // namespace orzatty::runtime
