// ENet: games' reliable channel over UDP, without encryption. The library fills datagrams by
// itself.

#include <enet/enet.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "peer.h"
#include "scene.h"

namespace orzatty::peers {
namespace {

constexpr std::uint64_t kUnacknowledgedMax =
    2048;  // packets; its queues have no bound of their own
constexpr int kSocketBufferSize = 4 * 1024 * 1024;  // as Orzatty asks for
constexpr enet_uint32 kPatienceMs = 10'000;

struct FreeHost {
  void operator()(ENetHost* host) const { ::enet_host_destroy(host); }
};
using Host = std::unique_ptr<ENetHost, FreeHost>;

ENetAddress loopback(std::uint16_t port) {
  ENetAddress address{};
  ::enet_address_set_host_ip(&address, "127.0.0.1");
  address.port = port;
  return address;
}

Host make_host(const ENetAddress* address) {
  Host host(::enet_host_create(address, 1, 1, 0, 0));
  require(host != nullptr, "enet_host_create");
  ::enet_socket_set_option(host->socket, ENET_SOCKOPT_RCVBUF, kSocketBufferSize);
  ::enet_socket_set_option(host->socket, ENET_SOCKOPT_SNDBUF, kSocketBufferSize);
  return host;
}

class EnetLink final : public Link {
 public:
  static std::unique_ptr<EnetLink> connect(std::uint16_t port) {
    auto link = std::make_unique<EnetLink>(make_host(nullptr));
    const ENetAddress address = loopback(port);
    link->peer_ = ::enet_host_connect(link->host_.get(), &address, 1, 0);
    require(link->peer_ != nullptr, "enet_host_connect");
    link->await(ENET_EVENT_TYPE_CONNECT);
    return link;
  }

  explicit EnetLink(Host host) : host_(std::move(host)) {}
  ~EnetLink() override {
    if (packet_ != nullptr) ::enet_packet_destroy(packet_);
  }

  [[nodiscard]] std::uint16_t port() const {
    ENetAddress address{};
    require(::enet_socket_get_address(host_->socket, &address) == 0, "port");
    return address.port;
  }

  void send(BytesView message) override {
    for (enet_uint32 wait = 0; unacknowledged_ >= kUnacknowledgedMax; wait = 1) service(wait);
    ENetPacket* packet =
        ::enet_packet_create(message.data(), message.size(), ENET_PACKET_FLAG_RELIABLE);
    require(packet != nullptr, "enet_packet_create");
    packet->userData = &unacknowledged_;
    packet->freeCallback = [](ENetPacket* freed) {
      --*static_cast<std::uint64_t*>(freed->userData);
    };
    ++unacknowledged_;
    require(::enet_peer_send(peer_, 0, packet) == 0, "enet_peer_send");
  }

  BytesView receive() override {
    const ENetEvent event = await(ENET_EVENT_TYPE_RECEIVE);
    if (packet_ != nullptr) ::enet_packet_destroy(packet_);
    packet_ = event.packet;
    return {reinterpret_cast<const std::byte*>(packet_->data), packet_->dataLength};
  }

  // Everything is acknowledged when the other side hears of the end.
  void finish() override {
    while (unacknowledged_ > 0) service(1);
    ::enet_peer_disconnect(peer_, 0);
    await(ENET_EVENT_TYPE_DISCONNECT);
  }

  // Acknowledges, until the other side has all acknowledgements.
  void await_disconnect() { await(ENET_EVENT_TYPE_DISCONNECT); }

 private:
  // For a side that receives nothing.
  void service(enet_uint32 wait_ms) {
    ENetEvent event{};
    require(::enet_host_service(host_.get(), &event, wait_ms) >= 0, "enet_host_service");
    require(event.type == ENET_EVENT_TYPE_NONE, "the other side is gone");
  }

  ENetEvent await(ENetEventType wanted) {
    ENetEvent event{};
    do {
      require(::enet_host_service(host_.get(), &event, kPatienceMs) > 0, "nothing came");
      if (event.type == ENET_EVENT_TYPE_CONNECT) peer_ = event.peer;
    } while (event.type == ENET_EVENT_TYPE_CONNECT && wanted != ENET_EVENT_TYPE_CONNECT);
    require(event.type == wanted, "the other side is gone");
    return event;
  }

  Host host_;
  ENetPeer* peer_ = nullptr;
  ENetPacket* packet_ = nullptr;  // received last
  std::uint64_t unacknowledged_ = 0;
};

class Enet final : public Peer {
 public:
  [[nodiscard]] Description describe() const override {
    const ENetVersion version = ::enet_linked_version();
    return {.name = "enet",
            .version = std::to_string(ENET_VERSION_GET_MAJOR(version)) + "." +
                       std::to_string(ENET_VERSION_GET_MINOR(version)) + "." +
                       std::to_string(ENET_VERSION_GET_PATCH(version)),
            .variants = {"plain"}};
  }

  void receive(const Plan&, apps::Conversation& sender, std::span<Receipt> receipts) override {
    const auto link = listen(sender);
    receive_all(*link, receipts.front());
    link->await_disconnect();
  }

  void echo(const Plan&, apps::Conversation& sender) override {
    const auto link = listen(sender);
    echo_all(*link);
    link->await_disconnect();
  }

  std::unique_ptr<Link> open(const Plan&, apps::Conversation& receiver) override {
    return EnetLink::connect(heard<std::uint16_t>(receiver));
  }

 private:
  static std::unique_ptr<EnetLink> listen(apps::Conversation& sender) {
    const ENetAddress address = loopback(0);
    auto link = std::make_unique<EnetLink>(make_host(&address));
    sender.tell(link->port());
    return link;
  }
};

}  // namespace
}  // namespace orzatty::peers

int main(int count, char** words) {
  if (::enet_initialize() != 0) return 1;
  orzatty::peers::Enet peer;
  return orzatty::peers::run(peer, count, words);
}
