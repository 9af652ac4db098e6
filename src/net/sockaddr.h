// Addresses as the system calls want them. Only for the files of this layer.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

#include "base/address.h"

namespace orzatty::net {

union SocketAddress {
  sockaddr any;
  sockaddr_in ipv4;
  sockaddr_in6 ipv6;
};

// Writes `address` and returns how many bytes of it count.
socklen_t encode_address(const base::Address& address, SocketAddress& target);
// Empty for a family that is not of the internet.
std::optional<base::Address> decode_address(const SocketAddress& source);

// As above, for the bare addresses in control messages; the port stays as it is.
void decode_ip(const in_addr& source, base::Address& target);
void decode_ip(const in6_addr& source, base::Address& target);
in_addr ipv4_of(const base::Address& address);
in6_addr ipv6_of(const base::Address& address);

// 0.0.0.0 or [::]: any address of this machine.
bool is_wildcard(const base::Address& address);

}  // namespace orzatty::net
