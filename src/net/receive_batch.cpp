#include "net/receive_batch.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "net/sockaddr.h"

namespace orzatty::net {
namespace {

constexpr std::size_t kControlSize =
    CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(int));
constexpr unsigned kEcnMask = 0x03;

template <typename Value>
Value control_value(const cmsghdr& message) {
  Value value{};
  std::memcpy(&value, CMSG_DATA(&message), sizeof(value));
  return value;
}

void read_control(const cmsghdr& message, Received& received) {
  if (message.cmsg_level == SOL_UDP && message.cmsg_type == UDP_GRO) {
    const int size = control_value<int>(message);
    if (size > 0) received.segment_size = static_cast<std::size_t>(size);
  } else if (message.cmsg_level == IPPROTO_IP && message.cmsg_type == IP_TOS) {
    received.ecn = static_cast<std::uint8_t>(control_value<std::uint8_t>(message) & kEcnMask);
  } else if (message.cmsg_level == IPPROTO_IP && message.cmsg_type == IP_PKTINFO) {
    decode_ip(control_value<in_pktinfo>(message).ipi_addr, received.local);
  } else if (message.cmsg_level == IPPROTO_IPV6 && message.cmsg_type == IPV6_TCLASS) {
    const auto traffic_class = static_cast<unsigned>(control_value<int>(message));
    received.ecn = static_cast<std::uint8_t>(traffic_class & kEcnMask);
  } else if (message.cmsg_level == IPPROTO_IPV6 && message.cmsg_type == IPV6_PKTINFO) {
    decode_ip(control_value<in6_pktinfo>(message).ipi6_addr, received.local);
  }
}

}  // namespace

struct ReceiveBatch::Slots {
  struct alignas(cmsghdr) Control {
    std::array<std::byte, kControlSize> bytes;
  };
  std::array<mmsghdr, kCountMax> headers;
  std::array<iovec, kCountMax> pieces;
  std::array<SocketAddress, kCountMax> remotes;
  std::array<Control, kCountMax> controls;
  std::array<Received, kCountMax> received;
};

ReceiveBatch::ReceiveBatch(std::size_t count)
    : count_(count),
      buffers_(std::make_unique_for_overwrite<std::byte[]>(count * kBufferSize)),
      slots_(std::make_unique<Slots>()) {
  ORZATTY_ASSERT(count > 0 && count <= kCountMax);
  for (std::size_t i = 0; i < count; ++i) {
    slots_->pieces[i] = {.iov_base = buffers_.get() + i * kBufferSize, .iov_len = kBufferSize};
    msghdr& header = slots_->headers[i].msg_hdr;
    header.msg_name = &slots_->remotes[i];
    header.msg_iov = &slots_->pieces[i];
    header.msg_iovlen = 1;
    header.msg_control = slots_->controls[i].bytes.data();
    reset(i);
  }
}

ReceiveBatch::~ReceiveBatch() = default;

std::span<const Received> ReceiveBatch::receive(UdpSocket& socket, std::size_t count_max) {
  ORZATTY_ASSERT(count_max > 0);
  for (std::size_t i = 0; i < used_; ++i) reset(i);
  used_ = 0;
  refused_ = false;

  const int count = receive_messages(socket, std::min(count_max, count_));
  if (count < 0) {
    refused_ = errno == ECONNREFUSED;
    return {};
  }
  used_ = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < used_; ++i) read_message(socket, i);
  return std::span(slots_->received).first(used_);
}

int ReceiveBatch::receive_messages(const UdpSocket& socket, std::size_t count) {
  mmsghdr* headers = slots_->headers.data();
  for (;;) {
    int received = 0;
    if (count == 1) {
      const ssize_t size = ::recvmsg(socket.fd(), &headers->msg_hdr, MSG_DONTWAIT);
      if (size >= 0) headers->msg_len = static_cast<unsigned>(size);
      received = size >= 0 ? 1 : -1;
    } else {
      received =
          ::recvmmsg(socket.fd(), headers, static_cast<unsigned>(count), MSG_DONTWAIT, nullptr);
    }
    if (received >= 0 || errno != EINTR) return received;
  }
}

// The kernel writes how much it used of each buffer into the header, over how much there is.
void ReceiveBatch::reset(std::size_t index) {
  msghdr& header = slots_->headers[index].msg_hdr;
  header.msg_namelen = sizeof(SocketAddress);
  header.msg_controllen = kControlSize;
  header.msg_flags = 0;
}

void ReceiveBatch::read_message(const UdpSocket& socket, std::size_t index) {
  mmsghdr& header = slots_->headers[index];
  Received& received = slots_->received[index];
  received.local = socket.local_;
  received.remote = socket.kind_ == UdpSocket::Kind::kConnected
                        ? socket.remote_
                        : decode_address(slots_->remotes[index]).value_or(base::Address{});
  received.bytes = BytesView(buffers_.get() + index * kBufferSize, header.msg_len);
  received.segment_size = header.msg_len;
  received.ecn = 0;
  for (cmsghdr* message = CMSG_FIRSTHDR(&header.msg_hdr); message != nullptr;
       message = CMSG_NXTHDR(&header.msg_hdr, message)) {
    read_control(*message, received);
  }
}

}  // namespace orzatty::net
