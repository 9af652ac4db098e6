// A UDP socket, non-blocking, of one family: an IPv6 socket never carries IPv4, so that a server
// has one socket per family and an address has one form. Packets move through ReceiveBatch and
// SendBatch. Works without GSO or GRO, only slower. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>

#include "base/address.h"
#include "net/file_descriptor.h"
#include "orzatty/error.h"

namespace orzatty::net {

// Who else may have the same address. The first of several is bound alone and shares afterwards:
// so a second daemon on the same port is told so, instead of silently getting half of the packets.
enum class PortSharing : std::uint8_t { kAlone, kFirstOfSeveral, kFurther };

struct SocketOptions {
  PortSharing sharing = PortSharing::kAlone;
  // Bytes. 4 MiB is 1 ms of a 4 GB/s loopback, or 30 ms of 1 Gbit/s: a scheduling hiccup.
  std::size_t receive_buffer = 4 * 1024 * 1024;
  std::size_t send_buffer = 4 * 1024 * 1024;
};

class UdpSocket {
 public:
  // A bound socket; port 0 lets the kernel choose. The errors name the address and say what to do.
  static std::expected<UdpSocket, Error> bind(const base::Address& address,
                                              const SocketOptions& options);
  // A socket for talking to `remote` alone (connected, so that a refusal is seen).
  static std::expected<UdpSocket, Error> connect(const base::Address& remote,
                                                 const SocketOptions& options);
  // Takes over a connected datagram socket that somebody else opened, such as a supervisor; it
  // becomes non-blocking. It is used plainly: without GSO, GRO, ECN.
  static UdpSocket adopt(FileDescriptor descriptor);

  [[nodiscard]] int fd() const { return descriptor_.number(); }
  // With the port that the kernel chose.
  [[nodiscard]] const base::Address& local_address() const { return local_; }
  [[nodiscard]] bool has_gso() const { return gso_; }
  [[nodiscard]] std::size_t receive_buffer() const;  // what the kernel really gave, in bytes
  [[nodiscard]] std::size_t send_buffer() const;

 private:
  friend class ReceiveBatch;
  friend class SendBatch;
  enum class Kind : std::uint8_t {
    kWildcard,   // each packet has its own local address
    kBound,      // one local address, many remote ones
    kConnected,  // one of each
  };
  explicit UdpSocket(FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}
  static std::expected<UdpSocket, Error> open(const base::Address& address,
                                              const SocketOptions& options);
  void set_up_ip(base::Address::Family family);
  void set_up_buffers(const SocketOptions& options);
  void ask_for_local_addresses();
  void learn_local_address();

  FileDescriptor descriptor_;
  base::Address local_;
  base::Address remote_;
  Kind kind_ = Kind::kBound;
  bool gso_ = false;  // cleared by SendBatch when a device turns out not to do it
};

}  // namespace orzatty::net
