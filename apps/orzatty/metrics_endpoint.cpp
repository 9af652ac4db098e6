#include "metrics_endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "base/address.h"
#include "net/clock.h"
#include "net/io_error.h"
#include "net/resolver.h"

namespace orzatty::apps {
namespace {

constexpr Duration kPatience = std::chrono::seconds(1);
constexpr std::size_t kRequestSizeMax = 8 * 1024;  // what curl and Prometheus send is under 1 KiB
constexpr int kBacklog = 16;

union Socket {
  sockaddr any;
  sockaddr_in ipv4;
  sockaddr_in6 ipv6;
};

socklen_t encode(const base::Address& address, Socket& target) {
  target = {};
  if (address.family == base::Address::Family::kIpv4) {
    target.ipv4.sin_family = AF_INET;
    target.ipv4.sin_port = htons(address.port);
    std::memcpy(&target.ipv4.sin_addr, address.ip.data(), sizeof(target.ipv4.sin_addr));
    return sizeof(target.ipv4);
  }
  target.ipv6.sin6_family = AF_INET6;
  target.ipv6.sin6_port = htons(address.port);
  std::memcpy(&target.ipv6.sin6_addr, address.ip.data(), sizeof(target.ipv6.sin6_addr));
  return sizeof(target.ipv6);
}

std::string address_of(const net::FileDescriptor& socket) {
  Socket name{};
  socklen_t size = sizeof(name);
  if (::getsockname(socket.number(), &name.any, &size) != 0) return "?";
  base::Address address;
  if (name.any.sa_family == AF_INET6) {
    address.family = base::Address::Family::kIpv6;
    address.port = ntohs(name.ipv6.sin6_port);
    std::memcpy(address.ip.data(), &name.ipv6.sin6_addr, sizeof(name.ipv6.sin6_addr));
  } else {
    address.port = ntohs(name.ipv4.sin_port);
    std::memcpy(address.ip.data(), &name.ipv4.sin_addr, sizeof(name.ipv4.sin_addr));
  }
  return address.text();
}

Result<net::FileDescriptor> listen_at(const base::Address& address) {
  Socket name{};
  const socklen_t size = encode(address, name);
  net::FileDescriptor socket(
      ::socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int one = 1;
  if (socket.is_open() &&
      ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
      (name.any.sa_family != AF_INET6 ||
       ::setsockopt(socket.number(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == 0) &&
      ::bind(socket.number(), &name.any, size) == 0 && ::listen(socket.number(), kBacklog) == 0) {
    return socket;
  }
  Failure failed = failure_of(net::io_error("cannot serve metrics at " + address.text(), errno));
  failed.text += "; choose another address with --metrics";
  return std::unexpected(std::move(failed));
}

// Until `fd` is ready for `events`; false when it was not before `until`.
bool wait_for(const net::FileDescriptor& fd, short events, Instant until) {
  for (;;) {
    const Duration rest = until - net::now();
    if (rest <= Duration::zero()) return false;
    pollfd waiting{.fd = fd.number(), .events = events, .revents = 0};
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(rest).count();
    const int count = ::poll(&waiting, 1, static_cast<int>(milliseconds));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

// A request's head, as far as it came in time.
std::string read_request(const net::FileDescriptor& connection, Instant until) {
  std::string request;
  std::array<char, 1024> piece{};
  while (request.find("\r\n\r\n") == std::string::npos && request.size() < kRequestSizeMax) {
    if (!wait_for(connection, POLLIN, until)) break;
    const ssize_t size = ::recv(connection.number(), piece.data(), piece.size(), 0);
    if (size <= 0) break;
    request.append(piece.data(), static_cast<std::size_t>(size));
  }
  return request;
}

void write_answer(const net::FileDescriptor& connection, std::string_view answer, Instant until) {
  while (!answer.empty() && wait_for(connection, POLLOUT, until)) {
    const ssize_t size = ::send(connection.number(), answer.data(), answer.size(), MSG_NOSIGNAL);
    if (size <= 0) return;
    answer.remove_prefix(static_cast<std::size_t>(size));
  }
}

std::string answer_with(std::string_view status, std::string_view type, std::string_view body) {
  std::string answer("HTTP/1.1 ");
  answer.append(status).append("\r\nContent-Type: ").append(type);
  answer.append("\r\nContent-Length: ").append(std::to_string(body.size()));
  answer.append("\r\nConnection: close\r\n\r\n").append(body);
  return answer;
}

}  // namespace

std::string http_answer(std::string_view request_line, const std::function<std::string()>& text) {
  constexpr std::string_view plain = "text/plain; charset=utf-8";
  const std::size_t space = request_line.find(' ');
  const std::size_t end = request_line.find(' ', space + 1);
  if (space == std::string_view::npos || end == std::string_view::npos) {
    return answer_with("400 Bad Request", plain, "This is no HTTP request.\n");
  }
  if (request_line.substr(0, space) != "GET") {
    return answer_with("405 Method Not Allowed", plain, "Only GET.\n");
  }
  std::string_view path = request_line.substr(space + 1, end - space - 1);
  path = path.substr(0, path.find('?'));
  if (path == "/healthz") return answer_with("200 OK", plain, "ok\n");
  if (path != "/metrics") {
    return answer_with("404 Not Found", plain, "There are /metrics and /healthz.\n");
  }
  return answer_with("200 OK", "text/plain; version=0.0.4; charset=utf-8", text());
}

Result<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::open(std::string_view address,
                                                               std::function<std::string()> text) {
  const auto addresses = net::resolve(address);
  if (!addresses) return failure(ExitCode::kUsage, addresses.error().text);
  std::vector<net::FileDescriptor> listeners;
  for (const base::Address& one : *addresses) {
    auto listener = listen_at(one);
    if (!listener) return std::unexpected(listener.error());
    listeners.push_back(std::move(*listener));
  }
  net::FileDescriptor ending(::eventfd(0, EFD_CLOEXEC));
  if (!ending.is_open()) {
    return std::unexpected(failure_of(net::io_error("cannot serve metrics", errno)));
  }
  return std::unique_ptr<MetricsEndpoint>(
      new MetricsEndpoint(std::move(listeners), std::move(ending), std::move(text)));
}

MetricsEndpoint::MetricsEndpoint(std::vector<net::FileDescriptor> listeners,
                                 net::FileDescriptor ending, std::function<std::string()> text)
    : listeners_(std::move(listeners)),
      ending_(std::move(ending)),
      text_(std::move(text)),
      thread_([this] { run(); }) {}

MetricsEndpoint::~MetricsEndpoint() {
  const std::uint64_t one = 1;
  (void)!::write(ending_.number(), &one, sizeof(one));
  thread_.join();
}

std::vector<std::string> MetricsEndpoint::addresses() const {
  std::vector<std::string> texts;
  for (const net::FileDescriptor& listener : listeners_) texts.push_back(address_of(listener));
  return texts;
}

void MetricsEndpoint::run() {
  std::vector<pollfd> waiting;
  for (const net::FileDescriptor& listener : listeners_) {
    waiting.push_back({.fd = listener.number(), .events = POLLIN, .revents = 0});
  }
  waiting.push_back({.fd = ending_.number(), .events = POLLIN, .revents = 0});
  for (;;) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting.back().revents != 0) return;
    for (const pollfd& ready : waiting) {
      if ((ready.revents & POLLIN) == 0) continue;
      const net::FileDescriptor connection(
          ::accept4(ready.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (connection.is_open()) serve(connection);
    }
  }
}

void MetricsEndpoint::serve(const net::FileDescriptor& connection) {
  const Instant until = net::now() + kPatience;
  const std::string request = read_request(connection, until);
  const std::string_view line = std::string_view(request).substr(0, request.find("\r\n"));
  write_answer(connection, http_answer(line, text_), until);
}

}  // namespace orzatty::apps
