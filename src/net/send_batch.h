// Packets on their way out: written straight into one buffer, sent with few system calls.
//
//   auto room = batch.space(1452);            // empty: flush() first
//   batch.push(size_written, local, remote, ecn);
//   batch.flush(socket);                      // kBlocked: again when the socket is writable
//
// Neighbours that go the same way and are equally long (the last may be shorter) become one GSO
// send, whichever connection each is from, and several of those one sendmmsg. Allocates only in its
// constructor. One thread at a time; one socket per batch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/address.h"
#include "net/udp_socket.h"

namespace orzatty::net {

enum class SendStatus : std::uint8_t {
  kSent,         // nothing is left
  kBlocked,      // the kernel has no room: what is left stays, flush() again when writable
  kUnreachable,  // nothing is left, and nobody listens at the remote of a connected socket
};

class SendBatch {
 public:
  static constexpr std::size_t kBufferSize =
      256 * 1024;                                       // four full GSO sends; fits a level 2 cache
  static constexpr std::size_t kSegmentCountMax = 64;   // of one GSO send: older kernels' limit
  static constexpr std::size_t kGroupSizeMax = 65'000;  // below what fits an IP packet
  static constexpr std::size_t kGroupCountMax = 256;

  SendBatch();
  SendBatch(const SendBatch&) = delete;
  SendBatch& operator=(const SendBatch&) = delete;
  ~SendBatch();

  // Room for one packet, valid until the next call of the batch; empty when there is none before a
  // flush(). It may be asked for again, or left unused.
  [[nodiscard]] std::span<std::byte> space(std::size_t packet_size_max);
  // Takes the first `size` bytes of the last space(): 1 or more. `local` matters only for a
  // wildcard socket; when its ip is 0 the kernel chooses.
  void push(std::size_t size, const base::Address& local, const base::Address& remote,
            std::uint8_t ecn);
  // Sends. A packet that cannot be sent at all (too large for the device, no route) is lost, as the
  // network might lose it anyway.
  SendStatus flush(UdpSocket& socket);

  [[nodiscard]] bool empty() const { return group_count_ == 0; }
  [[nodiscard]] std::size_t bytes() const { return end_ - begin_; }  // waiting
  [[nodiscard]] std::size_t group_count() const { return group_count_ - first_; }

 private:
  struct Messages;
  // Packets that may leave in one send: all of `segment` bytes but a shorter last one.
  struct Group {
    base::Address local;
    base::Address remote;
    std::uint32_t offset = 0;  // in the buffer
    std::uint32_t size = 0;
    std::uint16_t segment = 0;
    std::uint16_t count = 0;
    std::uint8_t ecn = 0;
    bool complete = false;  // nothing may follow
  };
  enum class Fault : std::uint8_t { kInterrupted, kBlocked, kRefused, kSendApart, kLost };

  [[nodiscard]] bool extends_last(std::size_t size, const base::Address& local,
                                  const base::Address& remote, std::uint8_t ecn) const;
  std::size_t prepare(const UdpSocket& socket);
  void prepare_message(const UdpSocket& socket, const Group& group, std::size_t index,
                       std::span<std::byte> bytes);
  Fault classify(UdpSocket& socket, int number) const;
  void drop_front(std::size_t message_count);
  void clear();
  void move_rest_to_front();

  std::unique_ptr<std::byte[]> buffer_;
  std::unique_ptr<Messages> messages_;
  std::array<Group, kGroupCountMax> groups_;
  std::size_t first_ = 0;  // the groups from here to group_count_ are waiting
  std::size_t group_count_ = 0;
  std::size_t begin_ = 0;  // their bytes, in the buffer
  std::size_t end_ = 0;
  std::size_t room_ = 0;      // what the last space() promised
  bool front_apart_ = false;  // the kernel refused the first group as one send
};

}  // namespace orzatty::net
