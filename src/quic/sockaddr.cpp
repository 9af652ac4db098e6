#include "quic/sockaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

#include "base/assert.h"

namespace orzatty::quic {

SocketAddress::SocketAddress(const base::Address& address) {
  // The whole address is written, padding too: ngtcp2 and tokens compare and hash its bytes.
  if (address.family == base::Address::Family::kIpv4) {
    bytes_.in.sin_family = AF_INET;
    bytes_.in.sin_port = htons(address.port);
    std::memcpy(&bytes_.in.sin_addr, address.ip.data(), sizeof(bytes_.in.sin_addr));
    size_ = sizeof(bytes_.in);
  } else {
    bytes_.in6.sin6_family = AF_INET6;
    bytes_.in6.sin6_port = htons(address.port);
    std::memcpy(&bytes_.in6.sin6_addr, address.ip.data(), sizeof(bytes_.in6.sin6_addr));
    size_ = sizeof(bytes_.in6);
  }
}

PathOut::PathOut() {
  ngtcp2_path_storage_zero(&written_);
  ngtcp2_path_storage_zero(&translated_);
}

void PathOut::translate() {
  if (ngtcp2_path_eq(&translated_.path, &written_.path) != 0) return;
  ngtcp2_path_copy(&translated_.path, &written_.path);
  local_ = address_of(written_.path.local);
  remote_ = address_of(written_.path.remote);
}

base::Address address_of(const ngtcp2_addr& address) {
  base::Address result;
  if (address.addr->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address.addr, sizeof(in));
    std::memcpy(result.ip.data(), &in.sin_addr, sizeof(in.sin_addr));
    result.port = ntohs(in.sin_port);
  } else {
    ORZATTY_ASSERT(address.addr->sa_family == AF_INET6);
    sockaddr_in6 in6{};
    std::memcpy(&in6, address.addr, sizeof(in6));
    result.family = base::Address::Family::kIpv6;
    std::memcpy(result.ip.data(), &in6.sin6_addr, sizeof(in6.sin6_addr));
    result.port = ntohs(in6.sin6_port);
  }
  return result;
}

}  // namespace orzatty::quic
