#include "runtime/client_socket.h"

#include <utility>

namespace orzatty::runtime {

namespace {

bool same_host(const base::Address& left, const base::Address& right) {
  base::Address moved = left;
  moved.port = right.port;
  return moved == right;
}

}  // namespace

ClientSocket::ClientSocket(ServerAddresses addresses, std::unique_ptr<Sleeper> holder,
                           std::unique_ptr<Sleeper> backup)
    : addresses_(std::move(addresses)), holder_(std::move(holder)), backup_(std::move(backup)) {}

std::expected<std::unique_ptr<ClientSocket>, Error> ClientSocket::prepare(std::string_view server) {
  auto addresses = ServerAddresses::resolve(server);
  if (!addresses) return std::unexpected(addresses.error());
  auto holder = Sleeper::open();
  if (!holder) return std::unexpected(holder.error());
  auto backup = Sleeper::open();
  if (!backup) return std::unexpected(backup.error());
  return std::unique_ptr<ClientSocket>(
      new ClientSocket(std::move(*addresses), std::move(*holder), std::move(*backup)));
}

std::expected<ClientSocket::Path, Error> ClientSocket::connect() {
  const base::Address remote = addresses_.current();
  const auto local = replace(remote);
  if (!local) return std::unexpected(local.error());
  return Path{*local, remote};
}

std::expected<base::Address, Error> ClientSocket::rebind() { return replace(remote_); }

std::expected<base::Address, Error> ClientSocket::replace(const base::Address& remote) {
  auto socket = net::UdpSocket::connect(remote, {});
  if (!socket) return std::unexpected(socket.error());
  if (open()) {
    holder_->forget(sink_.socket(0));
    backup_->forget(sink_.socket(0));
    sink_.clear();
  }
  local_ = socket->local_address();
  remote_ = remote;
  sink_.add(std::move(*socket));
  holder_->watch(sink_.socket(0));
  backup_->watch(sink_.socket(0));
  return local_;
}

bool ClientSocket::has_moved() const {
  const auto probe = net::UdpSocket::connect(remote_, {});
  return probe && !same_host(probe->local_address(), local_);
}

std::span<const net::Received> ClientSocket::receive() {
  return received_.receive(sink_.socket(0), kReceiveCountMax);
}

void ClientSocket::aim(Sleeper& sleeper) {
  if (!open()) return;
  const net::Interest interest = sink_.blocked() ? net::Interest::kReadWrite : net::Interest::kRead;
  sleeper.look_for(interest, sink_.socket(0));
}

}  // namespace orzatty::runtime
