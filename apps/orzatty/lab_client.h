// One client of the lab, as the NAT in front of it keeps it: a socket towards the server, and the
// two paths between them.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <utility>

#include "base/address.h"
#include "lab/fault_script.h"
#include "net/udp_socket.h"
#include "orzatty/error.h"
#include "orzatty/time.h"

namespace orzatty::apps {

class LabClient {
 public:
  LabClient(const base::Address& from, const base::Address& to, net::UdpSocket towards_server,
            const lab::Network& network, std::uint64_t seed)
      : remote(from),
        local(to),
        socket(std::move(towards_server)),
        up(network.up, seed),
        down(network.down, ~seed) {}

  // Small buffers: there may be thousands.
  static std::expected<net::UdpSocket, Error> open_socket(const base::Address& server) {
    constexpr std::size_t kBufferSize = 512 * 1024;
    return net::UdpSocket::connect(server,
                                   {.receive_buffer = kBufferSize, .send_buffer = kBufferSize});
  }

  // From now on the server sees another port. The old one stays for a while and hears nothing, as
  // with a NAT; closed, it would answer that nobody is there.
  void rebind(net::UdpSocket fresh, Instant now) {
    retired_.push_back({std::exchange(socket, std::move(fresh)), now + kSilence});
    if (retired_.size() > kRetiredMax) retired_.pop_front();
    close_retired(now);
  }
  void close_retired(Instant now) {
    while (!retired_.empty() && retired_.front().until <= now) retired_.pop_front();
  }

  base::Address remote;
  base::Address local;  // where it sends to
  net::UdpSocket socket;
  lab::Path up;
  lab::Path down;
  Instant used_at;

 private:
  static constexpr Duration kSilence = std::chrono::seconds(2);  // longer than most round trips
  static constexpr std::size_t kRetiredMax = 8;                  // bounds the open files
  struct Retired {
    net::UdpSocket socket;
    Instant until;
  };
  std::deque<Retired> retired_;
};

}  // namespace orzatty::apps
