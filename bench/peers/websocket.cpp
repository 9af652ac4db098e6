// WebSocket over TLS 1.3 by Boost.Beast with blocking calls: binary messages, one write each.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/version.hpp>
#include <memory>
#include <optional>
#include <string>

#include "certificate_files.h"
#include "peer.h"
#include "scene.h"

namespace orzatty::peers {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using Stream = beast::websocket::stream<beast::ssl_stream<beast::tcp_stream>>;

class WebSocketLink final : public Link {
 public:
  WebSocketLink() : tls_(asio::ssl::context::tls), stream_(context_, with_cipher(tls_)) {}

  void accept(apps::Conversation& sender, const CertificateFiles& files) {
    // A session copies its context's certificate when it is made, and ours is made already.
    SSL* session = stream_.next_layer().native_handle();
    require(::SSL_use_certificate_chain_file(session, files.chain().c_str()) == 1, "chain");
    require(::SSL_use_PrivateKey_file(session, files.key().c_str(), SSL_FILETYPE_PEM) == 1, "key");
    tcp::acceptor acceptor(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    sender.tell(acceptor.local_endpoint().port());
    acceptor.accept(socket());
    socket().set_option(tcp::no_delay(true));
    stream_.next_layer().handshake(asio::ssl::stream_base::server);
    stream_.accept();
    stream_.binary(true);
  }

  void connect(std::uint16_t port, const CertificateFiles& files) {
    tls_.load_verify_file(files.chain());
    stream_.next_layer().set_verify_mode(asio::ssl::verify_peer);
    socket().connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    socket().set_option(tcp::no_delay(true));
    stream_.next_layer().handshake(asio::ssl::stream_base::client);
    stream_.handshake("localhost", "/");
    stream_.binary(true);
  }

  void send(BytesView message) override {
    stream_.write(asio::buffer(message.data(), message.size()));
  }

  BytesView receive() override {
    received_.clear();
    stream_.read(received_);
    const auto bytes = received_.cdata();
    return {static_cast<const std::byte*>(bytes.data()), bytes.size()};
  }

 private:
  // TLS 1.3 alone, with the cipher that Orzatty takes.
  static asio::ssl::context& with_cipher(asio::ssl::context& context) {
    ::SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_3_VERSION);
    require(::SSL_CTX_set_ciphersuites(context.native_handle(), "TLS_AES_128_GCM_SHA256") == 1,
            "cipher");
    return context;
  }

  tcp::socket& socket() { return beast::get_lowest_layer(stream_).socket(); }

  asio::io_context context_{1};
  asio::ssl::context tls_;
  Stream stream_;
  beast::flat_buffer received_;
};

class WebSocket final : public Peer {
 public:
  [[nodiscard]] Description describe() const override {
    return {.name = "websocket",
            .version = std::to_string(BOOST_VERSION / 100'000) + "." +
                       std::to_string(BOOST_VERSION / 100 % 1'000),
            .variants = {"tls"}};
  }

  void prepare(const Plan&) override { files_.emplace(); }

  void receive(const Plan&, apps::Conversation& sender, std::span<Receipt> receipts) override {
    WebSocketLink link;
    link.accept(sender, *files_);
    receive_all(link, receipts.front());
  }

  void echo(const Plan&, apps::Conversation& sender) override {
    WebSocketLink link;
    link.accept(sender, *files_);
    echo_all(link);
  }

  std::unique_ptr<Link> open(const Plan&, apps::Conversation& receiver) override {
    auto link = std::make_unique<WebSocketLink>();
    link->connect(heard<std::uint16_t>(receiver), *files_);
    return link;
  }

 private:
  std::optional<CertificateFiles> files_;
};

}  // namespace
}  // namespace orzatty::peers

int main(int count, char** words) {
  orzatty::peers::WebSocket peer;
  return orzatty::peers::run(peer, count, words);
}
