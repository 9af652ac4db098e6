// What arrived at a UDP socket, many packets by one system call. Owns the buffers that packets are
// parsed and decrypted in; their memory is touched, and so really taken, only as far as it is used.
// One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/address.h"
#include "net/udp_socket.h"
#include "orzatty/bytes.h"

namespace orzatty::net {

// Some equal-sized packets of one remote that arrived together: the last may be shorter. Borrowed:
// valid until the next receive() of the batch. An empty datagram has no bytes.
struct Received {
  base::Address local;  // where it was sent to, known also for a wildcard socket
  base::Address remote;
  BytesView bytes;
  std::size_t segment_size = 0;  // never 0 when there are bytes
  std::uint8_t ecn = 0;          // 0 to 3, of RFC 3168
};

class ReceiveBatch {
 public:
  static constexpr std::size_t kBufferSize = 64 * 1024;  // holds whatever GRO can merge
  static constexpr std::size_t kCountMax = 64;

  // Room for `count` merged receives, at most kCountMax. The only allocation.
  explicit ReceiveBatch(std::size_t count = 16);
  ReceiveBatch(const ReceiveBatch&) = delete;
  ReceiveBatch& operator=(const ReceiveBatch&) = delete;
  ~ReceiveBatch();

  // What is there now, at most `count_max`; empty when there is nothing. Never blocks.
  [[nodiscard]] std::span<const Received> receive(UdpSocket& socket, std::size_t count_max);

  // Whether the last receive() found, instead of packets, that nobody listens at the remote of a
  // connected socket. A hint: such a notice can be forged.
  [[nodiscard]] bool was_refused() const { return refused_; }

 private:
  struct Slots;
  int receive_messages(const UdpSocket& socket, std::size_t count);
  void reset(std::size_t index);
  void read_message(const UdpSocket& socket, std::size_t index);

  std::size_t count_;
  std::unique_ptr<std::byte[]> buffers_;
  std::unique_ptr<Slots> slots_;
  std::size_t used_ = 0;  // slots that the kernel wrote into since they were reset
  bool refused_ = false;
};

}  // namespace orzatty::net
