// An address on the loopback, for programs that open sockets of their own.
#pragma once

#include <netinet/in.h>

#include <cstdint>

namespace orzatty {

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace orzatty
