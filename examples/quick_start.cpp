// The smallest whole: a server that echoes, and a client, in one program.
#include <future>
#include <iostream>
#include <string>
#include <thread>

#include "orzatty/client.h"
#include "orzatty/server.h"

int main() {
  const auto certificate = *orzatty::Certificate::self_signed();
  auto server = orzatty::Server::bind(
      "127.0.0.1:0", {.certificate = certificate, .authenticate = orzatty::tokens({"YOUR_TOKEN"})});
  server->on(1, [](orzatty::Peer& peer, const orzatty::Message& m) { peer.send(1, m.payload()); });
  const std::jthread thread([&] { server->run(); });

  std::promise<std::string> echo;
  auto client = orzatty::Client::connect(
      server->addresses().front(),
      {.token = "YOUR_TOKEN", .trust = orzatty::Trust::pinned(*certificate.pin())});
  client->on(1, [&](const orzatty::Message& m) { echo.set_value(std::string(m.text())); });
  client->send(1, "Hello Orzatty");
  std::cout << echo.get_future().get() << '\n';
  server->stop();
}
