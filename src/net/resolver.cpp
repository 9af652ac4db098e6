#include "net/resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "net/io_error.h"
#include "net/sockaddr.h"
#include "net/udp_socket.h"

namespace orzatty::net {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

std::unexpected<Error> wrong(std::string_view host_port, std::string_view why) {
  std::string text = "\"";
  text += host_port;
  text += "\" ";
  text += why;
  return std::unexpected(Error{.kind = ErrorKind::kArgument, .text = std::move(text)});
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return port;
}

std::expected<HostPort, Error> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
    return wrong(text, "has no port: write host:port, such as localhost:5000");
  }
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong(text, "is ambiguous: an IPv6 address needs brackets, such as [::1]:5000");
  }
  if (host.empty()) return wrong(text, "has no host: write host:port, such as localhost:5000");
  if (host.find('\0') != std::string_view::npos) return wrong(text, "has a zero byte in its host");
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return wrong(text, "has no valid port: it must be a number from 0 to 65535");
  return HostPort{.host = std::string(host), .port = *port};
}

Error look_up_error(const std::string& host, int result, int number) {
  switch (result) {
    case EAI_NONAME:
    case EAI_NODATA:
      return {.text = "unknown host " + host + ": check the name"};
    case EAI_AGAIN:
      return {.text = "cannot look up " + host + " now: the name server does not answer"};
    case EAI_SYSTEM:
      return io_error("cannot look up " + host, number);
    default:
      return {.text = "cannot look up " + host + ": " + ::gai_strerror(result)};
  }
}

std::vector<base::Address> addresses_of(const addrinfo* first, std::uint16_t port) {
  std::vector<base::Address> addresses;
  for (const addrinfo* item = first; item != nullptr; item = item->ai_next) {
    SocketAddress source{};
    if (item->ai_addrlen > sizeof(source)) continue;
    std::memcpy(&source, item->ai_addr, item->ai_addrlen);
    auto address = decode_address(source);
    if (!address) continue;
    address->port = port;
    // A name may stand twice in /etc/hosts.
    if (std::ranges::find(addresses, *address) == addresses.end()) addresses.push_back(*address);
  }
  return addresses;
}

// The loopback, whatever the machine's hosts file says of it (RFC 6761, section 6.3), as far as the
// machine has it: IPv6 may be turned off.
std::vector<base::Address> localhost(std::uint16_t port) {
  std::vector<base::Address> addresses;
  for (const std::string_view text : {"127.0.0.1:0", "[::1]:0"}) {
    base::Address address = *base::Address::parse(text);
    if (!UdpSocket::bind(address, {})) continue;
    address.port = port;
    addresses.push_back(address);
  }
  return addresses;
}

}  // namespace

std::expected<std::vector<base::Address>, Error> resolve(std::string_view host_port) {
  const auto parsed = parse_host_port(host_port);
  if (!parsed) return std::unexpected(parsed.error());
  if (parsed->host == "localhost") return localhost(parsed->port);

  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int result = ::getaddrinfo(parsed->host.c_str(), nullptr, &hints, &found);
  if (result != 0) return std::unexpected(look_up_error(parsed->host, result, errno));
  const AddressList list(found, &::freeaddrinfo);
  auto addresses = addresses_of(list.get(), parsed->port);
  if (addresses.empty()) {
    return std::unexpected(look_up_error(parsed->host, EAI_NONAME, 0));
  }
  return addresses;
}

}  // namespace orzatty::net
