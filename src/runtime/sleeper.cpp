#include "runtime/sleeper.h"

#include <utility>

namespace orzatty::runtime {

namespace {

constexpr std::uint64_t kSocketToken = 0;
constexpr std::uint64_t kWakeupToken = 1;

}  // namespace

Sleeper::Sleeper(net::Poller poller, std::unique_ptr<net::Wakeup> wakeup)
    : poller_(std::move(poller)), wakeup_(std::move(wakeup)) {}

std::expected<std::unique_ptr<Sleeper>, Error> Sleeper::open() {
  auto poller = net::Poller::open();
  if (!poller) return std::unexpected(poller.error());
  auto wakeup = net::Wakeup::open();
  if (!wakeup) return std::unexpected(wakeup.error());
  if (auto added = poller->add((*wakeup)->fd(), kWakeupToken, net::Interest::kRead); !added) {
    return std::unexpected(added.error());
  }
  return std::unique_ptr<Sleeper>(new Sleeper(std::move(*poller), std::move(*wakeup)));
}

void Sleeper::watch(const net::UdpSocket& socket) {
  interest_ = net::Interest::kRead;
  static_cast<void>(poller_.add(socket.fd(), kSocketToken, interest_));
}

void Sleeper::look_for(net::Interest interest, const net::UdpSocket& socket) {
  if (std::exchange(interest_, interest) == interest) return;
  poller_.change(socket.fd(), kSocketToken, interest);
}

void Sleeper::forget(const net::UdpSocket& socket) { poller_.remove(socket.fd()); }

}  // namespace orzatty::runtime
