#include "net/sockaddr.h"

#include <arpa/inet.h>

#include <cstring>

namespace orzatty::net {

socklen_t encode_address(const base::Address& address, SocketAddress& target) {
  if (address.family == base::Address::Family::kIpv4) {
    target.ipv4 = {};
    target.ipv4.sin_family = AF_INET;
    target.ipv4.sin_port = htons(address.port);
    target.ipv4.sin_addr = ipv4_of(address);
    return sizeof(sockaddr_in);
  }
  target.ipv6 = {};
  target.ipv6.sin6_family = AF_INET6;
  target.ipv6.sin6_port = htons(address.port);
  target.ipv6.sin6_addr = ipv6_of(address);
  return sizeof(sockaddr_in6);
}

std::optional<base::Address> decode_address(const SocketAddress& source) {
  base::Address address;
  if (source.any.sa_family == AF_INET) {
    decode_ip(source.ipv4.sin_addr, address);
    address.port = ntohs(source.ipv4.sin_port);
    return address;
  }
  if (source.any.sa_family != AF_INET6) return std::nullopt;
  decode_ip(source.ipv6.sin6_addr, address);
  address.port = ntohs(source.ipv6.sin6_port);
  return address;
}

void decode_ip(const in_addr& source, base::Address& target) {
  target.family = base::Address::Family::kIpv4;
  target.ip = {};
  std::memcpy(target.ip.data(), &source, sizeof(source));
}

void decode_ip(const in6_addr& source, base::Address& target) {
  target.family = base::Address::Family::kIpv6;
  static_assert(sizeof(source) == sizeof(target.ip));
  std::memcpy(target.ip.data(), &source, sizeof(source));
}

in_addr ipv4_of(const base::Address& address) {
  in_addr ip{};
  std::memcpy(&ip, address.ip.data(), sizeof(ip));
  return ip;
}

in6_addr ipv6_of(const base::Address& address) {
  in6_addr ip{};
  std::memcpy(&ip, address.ip.data(), sizeof(ip));
  return ip;
}

bool is_wildcard(const base::Address& address) { return address.ip == decltype(address.ip){}; }

}  // namespace orzatty::net
