// Raw TLS 1.3 over TCP by OpenSSL: what is left when there is no protocol above it. A message is
// two bytes of length and its payload; one write each, or one write of 32.

#include <openssl/ssl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "certificate_files.h"
#include "loopback.h"
#include "peer.h"
#include "scene.h"

namespace orzatty::peers {
namespace {

constexpr std::size_t kHeaderSize = 2;
constexpr std::size_t kBatch = 32;
constexpr std::size_t kBufferSize = 256 * 1024;  // several messages of the largest size

struct FreeContext {
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
};
struct FreeSession {
  void operator()(SSL* session) const { ::SSL_free(session); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;
using Session = std::unique_ptr<SSL, FreeSession>;

Context make_context(const SSL_METHOD* method) {
  Context context(::SSL_CTX_new(method));
  ::SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  // The cipher that Orzatty takes; OpenSSL would take AES-256.
  require(::SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256") == 1, "cipher");
  // Several records of one read: without it each small one costs two.
  ::SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

Context server_context(const CertificateFiles& files) {
  Context context = make_context(::TLS_server_method());
  require(::SSL_CTX_use_certificate_chain_file(context.get(), files.chain().c_str()) == 1, "chain");
  require(::SSL_CTX_use_PrivateKey_file(context.get(), files.key().c_str(), SSL_FILETYPE_PEM) == 1,
          "key");
  return context;
}

Context client_context(const CertificateFiles& files) {
  Context context = make_context(::TLS_client_method());
  require(::SSL_CTX_load_verify_locations(context.get(), files.chain().c_str(), nullptr) == 1,
          "trust");
  ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

class TlsLink final : public Link {
 public:
  enum class Side : std::uint8_t { kServer, kClient };

  TlsLink(net::FileDescriptor socket, Context context, Side side, std::size_t batch)
      : socket_(std::move(socket)),
        context_(std::move(context)),
        session_(::SSL_new(context_.get())),
        batch_(batch) {
    require(::SSL_set_fd(session_.get(), socket_.number()) == 1, "SSL_set_fd");
    const int done =
        side == Side::kServer ? ::SSL_accept(session_.get()) : ::SSL_connect(session_.get());
    require(done == 1, "TLS handshake");
  }

  void send(BytesView message) override {
    outbox_.push_back(static_cast<std::byte>(message.size() & 0xff));
    outbox_.push_back(static_cast<std::byte>(message.size() >> 8));
    outbox_.insert(outbox_.end(), message.begin(), message.end());
    if (++held_ >= batch_) flush();
  }

  BytesView receive() override {
    flush();
    while (true) {
      const BytesView rest = BytesView(inbox_).subspan(begin_, end_ - begin_);
      if (const auto message = first_message(rest)) {
        begin_ += kHeaderSize + message->size();
        return *message;
      }
      read_more();
    }
  }

  void finish() override { flush(); }

 private:
  static std::optional<BytesView> first_message(BytesView bytes) {
    if (bytes.size() < kHeaderSize) return std::nullopt;
    const std::size_t size =
        std::to_integer<std::size_t>(bytes[0]) | std::to_integer<std::size_t>(bytes[1]) << 8;
    if (bytes.size() - kHeaderSize < size) return std::nullopt;
    return bytes.subspan(kHeaderSize, size);
  }

  void flush() {
    if (outbox_.empty()) return;
    std::size_t written = 0;
    require(::SSL_write_ex(session_.get(), outbox_.data(), outbox_.size(), &written) == 1 &&
                written == outbox_.size(),
            "SSL_write");
    outbox_.clear();
    held_ = 0;
  }

  void read_more() {
    const auto front = inbox_.begin();
    std::copy(front + static_cast<std::ptrdiff_t>(begin_),
              front + static_cast<std::ptrdiff_t>(end_), front);
    end_ -= begin_;
    begin_ = 0;
    std::size_t size = 0;
    require(::SSL_read_ex(session_.get(), inbox_.data() + end_, inbox_.size() - end_, &size) == 1,
            "SSL_read");
    end_ += size;
  }

  net::FileDescriptor socket_;
  Context context_;
  Session session_;
  std::size_t batch_;  // messages of a write
  std::size_t held_ = 0;
  Bytes outbox_;
  Bytes inbox_ = Bytes(kBufferSize);
  std::size_t begin_ = 0;  // of what was not given out yet
  std::size_t end_ = 0;
};

class Tls final : public Peer {
 public:
  [[nodiscard]] Description describe() const override {
    return {.name = "tls",
            .version = ::OpenSSL_version(OPENSSL_VERSION_STRING),
            .variants = {"single", "batch32"}};
  }

  void prepare(const Plan&) override { files_.emplace(); }

  void receive(const Plan&, apps::Conversation& sender, std::span<Receipt> receipts) override {
    receive_all(*accept(sender), receipts.front());
  }

  void echo(const Plan&, apps::Conversation& sender) override { echo_all(*accept(sender)); }

  std::unique_ptr<Link> open(const Plan& plan, apps::Conversation& receiver) override {
    const auto port = heard<std::uint16_t>(receiver);
    return std::make_unique<TlsLink>(connect_to(port), client_context(*files_),
                                     TlsLink::Side::kClient,
                                     plan.variant == "batch32" ? kBatch : 1);
  }

 private:
  [[nodiscard]] std::unique_ptr<Link> accept(apps::Conversation& sender) const {
    const Listener listener;
    sender.tell(listener.port());
    return std::make_unique<TlsLink>(listener.accept(), server_context(*files_),
                                     TlsLink::Side::kServer, 1);
  }

  std::optional<CertificateFiles> files_;
};

}  // namespace
}  // namespace orzatty::peers

int main(int count, char** words) {
  orzatty::peers::Tls peer;
  return orzatty::peers::run(peer, count, words);
}
