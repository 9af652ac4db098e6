#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

#include "loopback_address.h"

namespace orzatty::raw {

void fail(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

net::FileDescriptor bound_socket() {
  net::FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(0);
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("bind");
  }
  return socket;
}

std::uint16_t port_of(const net::FileDescriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    fail("getsockname");
  }
  return ntohs(address.sin_port);
}

void connect_to(const net::FileDescriptor& socket, std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0) {
    fail("connect");
  }
}

net::FileDescriptor connected_socket(apps::Conversation& conversation) {
  net::FileDescriptor socket = bound_socket();
  conversation.tell(port_of(socket));
  const auto port = conversation.hear<std::uint16_t>();
  if (!port) fail("the other process");
  connect_to(socket, *port);
  // Not before the other side is connected too: its socket takes nothing from strangers.
  conversation.tell(*port);
  if (!conversation.hear<std::uint16_t>()) fail("the other process");
  return socket;
}

}  // namespace orzatty::raw
