#include "orzatty/server.h"

#include "runtime/server_runtime.h"

namespace orzatty {

std::expected<Server, Error> Server::bind(std::string_view addresses, ServerOptions options) {
  auto runtime = ServerRuntime::bind(addresses, std::move(options));
  if (!runtime) return std::unexpected(runtime.error());
  return Server(std::move(*runtime));
}

Server::Server(std::unique_ptr<ServerRuntime> runtime) : runtime_(std::move(runtime)) {}
Server::Server(Server&& other) noexcept = default;
Server& Server::operator=(Server&& other) noexcept = default;
Server::~Server() = default;

std::expected<void, Error> Server::on(const ChannelRef& channel, MessageHandler handler) {
  return runtime_->on(channel, std::move(handler));
}

std::expected<void, Error> Server::publish(const ChannelRef& channel, const Payload& payload) {
  return runtime_->publish(channel, payload);
}

std::expected<void, Error> Server::run() { return runtime_->run(); }
void Server::stop() noexcept { runtime_->stop(); }
std::vector<std::string> Server::addresses() const { return runtime_->addresses(); }
ServerStats Server::stats() const { return runtime_->stats(); }

namespace {

hub::PeerKey peer_key(std::uint64_t key) {
  return {.slot = static_cast<std::uint32_t>(key),
          .generation = static_cast<std::uint32_t>(key >> 32)};
}

}  // namespace

std::expected<void, Error> Peer::send(const ChannelRef& channel, const Payload& payload) {
  return runtime_.send_direct(peer_key(key_), channel, payload);
}

std::expected<void, Error> Peer::reply(const Message& request, const Payload& payload) {
  return runtime_.reply(peer_key(key_), request, payload);
}

void Peer::close(std::string_view reason) { runtime_.close_peer(peer_key(key_), reason); }

}  // namespace orzatty
