#include "net/send_batch.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "net/sockaddr.h"

namespace orzatty::net {
namespace {

constexpr std::size_t kMessageCountMax = 64;  // of one sendmmsg
constexpr std::size_t kControlSize =
    CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(std::uint16_t));

template <typename Value>
void append_control(msghdr& header, int level, int type, const Value& value) {
  auto* place = static_cast<std::byte*>(header.msg_control) + header.msg_controllen;
  cmsghdr message{};
  message.cmsg_len = CMSG_LEN(sizeof(value));
  message.cmsg_level = level;
  message.cmsg_type = type;
  std::memcpy(place, &message, sizeof(message));
  std::memcpy(CMSG_DATA(reinterpret_cast<cmsghdr*>(place)), &value, sizeof(value));
  header.msg_controllen += CMSG_SPACE(sizeof(value));
}

void append_source(msghdr& header, const base::Address& local) {
  if (local.family == base::Address::Family::kIpv4) {
    in_pktinfo source{};
    source.ipi_spec_dst = ipv4_of(local);
    append_control(header, IPPROTO_IP, IP_PKTINFO, source);
  } else {
    in6_pktinfo source{};
    source.ipi6_addr = ipv6_of(local);
    append_control(header, IPPROTO_IPV6, IPV6_PKTINFO, source);
  }
}

void append_ecn(msghdr& header, const base::Address& remote, std::uint8_t ecn) {
  const int value = ecn;
  if (remote.family == base::Address::Family::kIpv4) {
    append_control(header, IPPROTO_IP, IP_TOS, value);
  } else {
    append_control(header, IPPROTO_IPV6, IPV6_TCLASS, value);
  }
}

int send_messages(int fd, mmsghdr* headers, std::size_t count) {
  if (count > 1) return ::sendmmsg(fd, headers, static_cast<unsigned>(count), MSG_NOSIGNAL);
  return ::sendmsg(fd, &headers->msg_hdr, MSG_NOSIGNAL) < 0 ? -1 : 1;
}

}  // namespace

struct SendBatch::Messages {
  struct alignas(cmsghdr) Control {
    std::array<std::byte, kControlSize> bytes;
  };
  std::array<mmsghdr, kMessageCountMax> headers;
  std::array<iovec, kMessageCountMax> pieces;
  std::array<SocketAddress, kMessageCountMax> remotes;
  std::array<Control, kMessageCountMax> controls;
};

SendBatch::SendBatch()
    : buffer_(std::make_unique_for_overwrite<std::byte[]>(kBufferSize)),
      messages_(std::make_unique<Messages>()) {}

SendBatch::~SendBatch() = default;

std::span<std::byte> SendBatch::space(std::size_t packet_size_max) {
  ORZATTY_ASSERT(packet_size_max > 0 && packet_size_max <= kGroupSizeMax);
  // A packet may need a group of its own: only push() knows.
  const bool fits = end_ + packet_size_max <= kBufferSize && group_count_ < kGroupCountMax;
  room_ = fits ? packet_size_max : 0;
  return {buffer_.get() + end_, room_};
}

void SendBatch::push(std::size_t size, const base::Address& local, const base::Address& remote,
                     std::uint8_t ecn) {
  ORZATTY_ASSERT(size > 0 && size <= room_);
  room_ = 0;
  if (extends_last(size, local, remote, ecn)) {
    Group& last = groups_[group_count_ - 1];
    last.size += static_cast<std::uint32_t>(size);
    ++last.count;
    last.complete = size < last.segment || last.count == kSegmentCountMax;
  } else {
    groups_[group_count_] = Group{.local = local,
                                  .remote = remote,
                                  .offset = static_cast<std::uint32_t>(end_),
                                  .size = static_cast<std::uint32_t>(size),
                                  .segment = static_cast<std::uint16_t>(size),
                                  .count = 1,
                                  .ecn = ecn};
    ++group_count_;
  }
  end_ += size;
}

SendStatus SendBatch::flush(UdpSocket& socket) {
  SendStatus status = SendStatus::kSent;
  bool refused_before = false;
  room_ = 0;
  while (first_ < group_count_) {
    const int sent = send_messages(socket.fd(), messages_->headers.data(), prepare(socket));
    if (sent > 0) {
      drop_front(static_cast<std::size_t>(sent));
      refused_before = false;
      continue;
    }
    switch (classify(socket, errno)) {
      case Fault::kInterrupted:
        break;
      case Fault::kBlocked:
        move_rest_to_front();
        return SendStatus::kBlocked;
      case Fault::kSendApart:
        front_apart_ = true;
        break;
      case Fault::kLost:
        drop_front(1);
        break;
      case Fault::kRefused:
        // The notice is about an earlier packet, and may be forged: what is waiting goes out once.
        status = SendStatus::kUnreachable;
        if (refused_before) drop_front(1);
        refused_before = !refused_before;
        break;
    }
  }
  clear();
  return status;
}

bool SendBatch::extends_last(std::size_t size, const base::Address& local,
                             const base::Address& remote, std::uint8_t ecn) const {
  if (group_count_ == first_) return false;
  const Group& last = groups_[group_count_ - 1];
  return !last.complete && size <= last.segment && last.size + size <= kGroupSizeMax &&
         last.ecn == ecn && last.remote == remote && last.local == local;
}

// Makes messages of the groups that are waiting, as many as one system call takes.
std::size_t SendBatch::prepare(const UdpSocket& socket) {
  std::size_t count = 0;
  for (std::size_t i = first_; i < group_count_ && count < kMessageCountMax; ++i) {
    const Group& group = groups_[i];
    const bool apart = !socket.gso_ || (i == first_ && front_apart_);
    std::span<std::byte> rest(buffer_.get() + group.offset, group.size);
    while (!rest.empty() && count < kMessageCountMax) {
      const std::size_t size =
          apart ? std::min<std::size_t>(group.segment, rest.size()) : rest.size();
      prepare_message(socket, group, count, rest.first(size));
      rest = rest.subspan(size);
      ++count;
    }
  }
  return count;
}

void SendBatch::prepare_message(const UdpSocket& socket, const Group& group, std::size_t index,
                                std::span<std::byte> bytes) {
  messages_->pieces[index] = {.iov_base = bytes.data(), .iov_len = bytes.size()};
  msghdr& header = messages_->headers[index].msg_hdr;
  header = {};
  header.msg_iov = &messages_->pieces[index];
  header.msg_iovlen = 1;
  header.msg_control = messages_->controls[index].bytes.data();
  if (socket.kind_ != UdpSocket::Kind::kConnected) {
    header.msg_name = &messages_->remotes[index];
    header.msg_namelen = encode_address(group.remote, messages_->remotes[index]);
  }
  if (socket.kind_ == UdpSocket::Kind::kWildcard && !is_wildcard(group.local)) {
    append_source(header, group.local);
  }
  if (group.ecn != 0) append_ecn(header, group.remote, group.ecn);
  if (bytes.size() > group.segment) append_control(header, SOL_UDP, UDP_SEGMENT, group.segment);
  if (header.msg_controllen == 0) header.msg_control = nullptr;
}

// What to do about the first message, which the kernel did not take.
SendBatch::Fault SendBatch::classify(UdpSocket& socket, int number) const {
  const bool merged = messages_->pieces[0].iov_len > groups_[first_].segment;
  switch (number) {
    case EINTR:
      return Fault::kInterrupted;
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
      return Fault::kBlocked;
    case ECONNREFUSED:
      return Fault::kRefused;
    case EIO:  // The device does no checksums, so the kernel does no GSO for it: not worth asking
               // again.
      if (!merged) return Fault::kLost;
      socket.gso_ = false;
      return Fault::kSendApart;
    case EINVAL:    // A segment is too large for the device, in the words of older kernels,
    case EMSGSIZE:  // and of newer ones; the shorter last one may fit.
      return merged ? Fault::kSendApart : Fault::kLost;
    default:
      return Fault::kLost;  // No route, a firewall, a local address that went away.
  }
}

void SendBatch::drop_front(std::size_t message_count) {
  for (std::size_t i = 0; i < message_count; ++i) {
    Group& group = groups_[first_];
    const auto size = static_cast<std::uint32_t>(messages_->pieces[i].iov_len);
    group.offset += size;
    group.size -= size;
    begin_ += size;
    if (group.size > 0) continue;
    ++first_;
    front_apart_ = false;
  }
}

void SendBatch::clear() {
  first_ = 0;
  group_count_ = 0;
  begin_ = 0;
  end_ = 0;
}

// So that the whole buffer is of use while the socket stays blocked. Rare, and 256 KiB at most.
void SendBatch::move_rest_to_front() {
  if (begin_ == 0) return;
  std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  std::move(groups_.begin() + static_cast<std::ptrdiff_t>(first_),
            groups_.begin() + static_cast<std::ptrdiff_t>(group_count_), groups_.begin());
  group_count_ -= first_;
  first_ = 0;
  for (std::size_t i = 0; i < group_count_; ++i) {
    groups_[i].offset -= static_cast<std::uint32_t>(begin_);
  }
  end_ -= begin_;
  begin_ = 0;
}

}  // namespace orzatty::net
