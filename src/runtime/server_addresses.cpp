#include "runtime/server_addresses.h"

#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "net/resolver.h"

namespace orzatty::runtime {

struct ServerAddresses::Known {
  std::mutex mutex;
  std::vector<base::Address> addresses;  // never empty
  bool asking = false;
};

ServerAddresses::ServerAddresses(std::string server, std::shared_ptr<Known> known)
    : server_(std::move(server)), known_(std::move(known)) {}

std::expected<ServerAddresses, Error> ServerAddresses::resolve(std::string_view server) {
  auto resolved = net::resolve(server);
  if (!resolved) return std::unexpected(std::move(resolved.error()));
  auto known = std::make_shared<Known>();
  known->addresses = std::move(*resolved);
  return ServerAddresses(std::string(server), std::move(known));
}

std::size_t ServerAddresses::count() const {
  const std::lock_guard lock(known_->mutex);
  return known_->addresses.size();
}

base::Address ServerAddresses::current() const {
  const std::lock_guard lock(known_->mutex);
  return known_->addresses[index_ % known_->addresses.size()];
}

void ServerAddresses::failed() {
  const std::lock_guard lock(known_->mutex);
  if (++index_ < known_->addresses.size()) return;
  index_ = 0;
  // A numeric address means the same for ever.
  if (base::Address::parse(server_) || std::exchange(known_->asking, true)) return;
  // Detached: a resolver without a network takes many seconds, and nobody shall wait for it.
  try {
    std::thread([known = known_, server = server_] {
      auto resolved = net::resolve(server);
      const std::lock_guard answer_lock(known->mutex);
      if (resolved) known->addresses = std::move(*resolved);
      known->asking = false;
    }).detach();
  } catch (const std::system_error&) {
    known_->asking = false;  // the addresses that are known must do
  }
}

}  // namespace orzatty::runtime
