// A server in a thread of its own, for tests: bound to a free port of the loopback, trusted by pin.
#pragma once

#include <gtest/gtest.h>

#include <concepts>
#include <string>
#include <thread>

#include "orzatty/client.h"
#include "orzatty/server.h"

namespace orzatty {

inline const std::string kToken = "a token for tests";

class Served {
 public:
  // `prepare` may register handlers before the server runs.
  template <std::invocable<Server&> Prepare>
  Served(ServerOptions options, Prepare prepare, std::string_view address = "127.0.0.1:0") {
    if (options.certificate.chain_pem.empty()) options.certificate = *Certificate::self_signed();
    certificate_ = options.certificate;
    if (!options.authenticate) {
      options.authenticate = named_tokens({{"alice", kToken}, {"bob", "b"}});
    }
    auto bound = Server::bind(address, std::move(options));
    if (!bound) ADD_FAILURE() << bound.error().text;
    server_ = std::make_unique<Server>(std::move(*bound));
    prepare(*server_);
    thread_ = std::thread([this] { EXPECT_TRUE(server_->run().has_value()); });
  }
  explicit Served(ServerOptions options = {}, std::string_view address = "127.0.0.1:0")
      : Served(std::move(options), [](Server&) {}, address) {}
  ~Served() { stop(); }
  void stop() {
    if (!thread_.joinable()) return;
    server_->stop();
    thread_.join();
  }

  [[nodiscard]] Server& server() { return *server_; }
  [[nodiscard]] const Certificate& certificate() const { return certificate_; }
  [[nodiscard]] std::string address() const { return server_->addresses().front(); }
  [[nodiscard]] ClientOptions client_options() const {
    ClientOptions options;
    options.token = kToken;
    options.trust = Trust::pinned(*certificate_.pin());
    return options;
  }
  [[nodiscard]] std::expected<Client, Error> connect() const {
    return Client::connect(address(), client_options());
  }

 private:
  Certificate certificate_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

// Waits, by polling the condition of another thread, until it holds: never for a fixed time.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace orzatty
