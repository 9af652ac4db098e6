// A client of another protocol, at the door of a real server.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <utility>

#include "link/client_link.h"
#include "net/clock.h"
#include "net/udp_socket.h"
#include "runtime/tls.h"
#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;

// One socket, one connection, and what the server made of it.
class Stranger final : private link::ClientEvents, private link::PacketSink {
 public:
  // `seed` makes connection ids: no two strangers may have the same.
  Stranger(const Served& served, std::string application_protocol, std::uint64_t seed)
      : server_(*base::Address::parse(served.address())),
        socket_(*net::UdpSocket::connect(server_, {})),
        link_({}, {.application_protocol = std::move(application_protocol)},
              *runtime::client_credentials(Trust::pinned(*served.certificate().pin())), "localhost",
              *this, seed, net::now()) {}

  // By what the connection ended.
  std::optional<ErrorCode> knock() {
    const Instant end = net::now() + 20s;
    while (!ended_ && net::now() < end) turn();
    return ended_;
  }

 private:
  void turn() {
    link_.drain(net::now());
    if (std::exchange(wants_connection_, false)) {
      link_.connect(socket_.local_address(), server_, net::now());
    }
    while (link_.write(*this, net::now())) continue;
    pollfd waiting{.fd = socket_.fd(), .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, 1);
    const ssize_t size = ::recv(socket_.fd(), space_.data(), space_.size(), 0);
    if (size > 0) {
      const BytesView bytes = BytesView(space_).first(static_cast<std::size_t>(size));
      link_.handle_datagram({socket_.local_address(), server_, bytes}, net::now());
    }
    link_.handle_timeout(net::now());
  }
  void on_event(client::EngineOutput& output, Instant /*now*/) override {
    if (std::holds_alternative<client::ConnectWanted>(output)) wants_connection_ = true;
    const auto* const gone = std::get_if<client::Disconnected>(&output);
    if (gone != nullptr && !ended_) ended_ = gone->code;
  }
  std::span<std::byte> space() override { return space_; }
  void push(const quic::Packet& packet) override {
    static_cast<void>(::send(socket_.fd(), space_.data(), packet.size, 0));
  }
  [[nodiscard]] bool blocked() const override { return false; }

  base::Address server_;
  net::UdpSocket socket_;
  std::array<std::byte, 2048> space_{};
  link::ClientLink link_;
  bool wants_connection_ = false;
  std::optional<ErrorCode> ended_;
};

// spec: TRANSPORT-1
TEST(OtherProtocol, IsTurnedAwayInTheHandshakeAndTheServerServesOn) {
  Served served;

  EXPECT_EQ(Stranger(served, "h3", 1).knock(), ErrorCode::kVersionUnsupported);
  EXPECT_EQ(Stranger(served, "orzatty/1", 2).knock(), ErrorCode::kAuthenticationFailed)
      << "the same without a token, as far as HELLO";

  EXPECT_TRUE(served.connect());
}

}  // namespace
}  // namespace orzatty
