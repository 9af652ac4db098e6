#include "net/udp_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>
#include <utility>

#include "net/io_error.h"
#include "net/sockaddr.h"

namespace orzatty::net {
namespace {

using Family = base::Address::Family;

bool set_option(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

int read_option(int fd, int level, int option) {
  int value = 0;
  socklen_t size = sizeof(value);
  return ::getsockopt(fd, level, option, &value, &size) == 0 ? value : 0;
}

// The kernel doubles what it is given, for its own book-keeping, and reports the double.
std::size_t buffer_size(int fd, int option) {
  return static_cast<std::size_t>(read_option(fd, SOL_SOCKET, option)) / 2;
}

Error open_error(const base::Address& address, int number) {
  const std::string text = address.text();
  switch (number) {
    case EAFNOSUPPORT:
      return {.text = text + " needs IPv6, which this machine does not have: use an IPv4 address"};
    case EMFILE:
    case ENFILE:
      return {.text = "no file descriptor left for " + text + ": raise the limit (ulimit -n)"};
    default:
      return io_error("cannot open a UDP socket for " + text, number);
  }
}

Error bind_error(const base::Address& address, int number) {
  const std::string text = address.text();
  switch (number) {
    case EADDRINUSE:
      return {.text = text + " is in use: stop the other program or choose another --listen"};
    case EACCES:
    case EPERM:
      return {.text = text +
                      " needs a privilege: choose a port from 1024 on, or grant "
                      "CAP_NET_BIND_SERVICE"};
    case EADDRNOTAVAIL:
      return {.text = text +
                      " is not an address of this machine: choose another --listen, such "
                      "as 0.0.0.0 for all of them"};
    default:
      return io_error("cannot listen on " + text, number);
  }
}

Error connect_error(const base::Address& remote, int number) {
  const std::string text = remote.text();
  if (number == ENETUNREACH || number == EHOSTUNREACH || number == EADDRNOTAVAIL) {
    return {.kind = ErrorKind::kUnreachable,
            .text = text + " cannot be reached: no route to it; check the network"};
  }
  return io_error("cannot talk to " + text, number);
}

bool bind_to(int fd, const base::Address& address) {
  SocketAddress target;
  const socklen_t size = encode_address(address, target);
  return ::bind(fd, &target.any, size) == 0;
}

}  // namespace

std::expected<UdpSocket, Error> UdpSocket::bind(const base::Address& address,
                                                const SocketOptions& options) {
  auto socket = open(address, options);
  if (!socket) return socket;
  const int fd = socket->fd();
  if (options.sharing == PortSharing::kFurther) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (!bind_to(fd, address)) return std::unexpected(bind_error(address, errno));
  // After bind() on purpose: see PortSharing.
  if (options.sharing == PortSharing::kFirstOfSeveral) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);

  socket->learn_local_address();
  if (is_wildcard(address)) socket->ask_for_local_addresses();
  return socket;
}

std::expected<UdpSocket, Error> UdpSocket::connect(const base::Address& remote,
                                                   const SocketOptions& options) {
  if (remote.port == 0) {
    return std::unexpected(Error{.kind = ErrorKind::kArgument,
                                 .text = remote.text() + " has port 0: name the server's port"});
  }
  auto socket = open(remote, options);
  if (!socket) return socket;
  SocketAddress target;
  const socklen_t size = encode_address(remote, target);
  if (::connect(socket->fd(), &target.any, size) != 0) {
    return std::unexpected(connect_error(remote, errno));
  }
  socket->learn_local_address();
  socket->remote_ = remote;
  socket->kind_ = Kind::kConnected;
  return socket;
}

UdpSocket UdpSocket::adopt(FileDescriptor descriptor) {
  UdpSocket socket(std::move(descriptor));
  const int flags = ::fcntl(socket.fd(), F_GETFL);
  ::fcntl(socket.fd(), F_SETFL, flags | O_NONBLOCK);
  socket.learn_local_address();
  SocketAddress remote{};
  socklen_t size = sizeof(remote);
  if (::getpeername(socket.fd(), &remote.any, &size) == 0) {
    socket.remote_ = decode_address(remote).value_or(base::Address{});
  }
  socket.kind_ = Kind::kConnected;
  return socket;
}

std::size_t UdpSocket::receive_buffer() const { return buffer_size(fd(), SO_RCVBUF); }
std::size_t UdpSocket::send_buffer() const { return buffer_size(fd(), SO_SNDBUF); }

std::expected<UdpSocket, Error> UdpSocket::open(const base::Address& address,
                                                const SocketOptions& options) {
  const int domain = address.family == Family::kIpv4 ? AF_INET : AF_INET6;
  FileDescriptor descriptor(::socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!descriptor.is_open()) return std::unexpected(open_error(address, errno));
  UdpSocket socket(std::move(descriptor));
  socket.set_up_ip(address.family);
  socket.set_up_buffers(options);
  // Both are bonuses of the kernel; a socket without them works packet by packet.
  set_option(socket.fd(), SOL_UDP, UDP_GRO, 1);
  int segment = 0;
  socklen_t size = sizeof(segment);
  socket.gso_ = ::getsockopt(socket.fd(), SOL_UDP, UDP_SEGMENT, &segment, &size) == 0;
  return socket;
}

// No packet of ours is ever fragmented, neither here nor on the way (QUIC requires it). PROBE
// rather than DO: path MTU discovery is QUIC's, which cannot be misled by forged ICMP messages.
void UdpSocket::set_up_ip(Family family) {
  if (family == Family::kIpv4) {
    set_option(fd(), IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    set_option(fd(), IPPROTO_IP, IP_RECVTOS, 1);
  } else {
    set_option(fd(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_option(fd(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
    set_option(fd(), IPPROTO_IPV6, IPV6_DONTFRAG, 1);
    set_option(fd(), IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  }
}

void UdpSocket::set_up_buffers(const SocketOptions& options) {
  const auto size_of = [](std::size_t size) {
    constexpr std::size_t size_max = std::numeric_limits<int>::max() / 2;
    return static_cast<int>(std::min(size, size_max));
  };
  // FORCE goes beyond net.core.rmem_max, but needs CAP_NET_ADMIN.
  if (!set_option(fd(), SOL_SOCKET, SO_RCVBUFFORCE, size_of(options.receive_buffer))) {
    set_option(fd(), SOL_SOCKET, SO_RCVBUF, size_of(options.receive_buffer));
  }
  if (!set_option(fd(), SOL_SOCKET, SO_SNDBUFFORCE, size_of(options.send_buffer))) {
    set_option(fd(), SOL_SOCKET, SO_SNDBUF, size_of(options.send_buffer));
  }
}

// Only for wildcard sockets: every other one has one local address, and a control message less per
// receive is a little latency less.
void UdpSocket::ask_for_local_addresses() {
  kind_ = Kind::kWildcard;
  if (local_.family == Family::kIpv4) {
    set_option(fd(), IPPROTO_IP, IP_PKTINFO, 1);
  } else {
    set_option(fd(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  }
}

void UdpSocket::learn_local_address() {
  SocketAddress local{};
  socklen_t size = sizeof(local);
  if (::getsockname(fd(), &local.any, &size) == 0) {
    local_ = decode_address(local).value_or(base::Address{});
  }
}

}  // namespace orzatty::net
