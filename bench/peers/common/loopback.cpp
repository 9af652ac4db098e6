#include "loopback.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "loopback_address.h"
#include "peer.h"

namespace orzatty::peers {
namespace {

net::FileDescriptor tcp_socket() {
  return net::FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

void send_without_delay(const net::FileDescriptor& socket) {
  const int on = 1;
  require(::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0,
          "TCP_NODELAY");
}

}  // namespace

Listener::Listener() : socket_(tcp_socket()) {
  const sockaddr_in address = loopback(0);
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  require(::bind(socket_.number(), any, sizeof address) == 0, "bind");
  require(::listen(socket_.number(), 1) == 0, "listen");
}

std::uint16_t Listener::port() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  require(::getsockname(socket_.number(), any, &size) == 0, "getsockname");
  return ntohs(address.sin_port);
}

net::FileDescriptor Listener::accept() const {
  net::FileDescriptor socket(::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC));
  require(socket.number() >= 0, "accept");
  send_without_delay(socket);
  return socket;
}

net::FileDescriptor connect_to(std::uint16_t port) {
  net::FileDescriptor socket = tcp_socket();
  const sockaddr_in address = loopback(port);
  const auto* server = reinterpret_cast<const sockaddr*>(&address);
  require(::connect(socket.number(), server, sizeof address) == 0, "connect");
  send_without_delay(socket);
  return socket;
}

}  // namespace orzatty::peers
