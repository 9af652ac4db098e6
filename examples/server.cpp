// Sends every message of channel 1 back:  server [ADDRESS]
#include "orzatty/server.h"

#include <iostream>

int main(int count, char** words) {
  const auto certificate = *orzatty::Certificate::self_signed();
  auto server = orzatty::Server::bind(
      count > 1 ? words[1] : "127.0.0.1:5000",
      {.certificate = certificate, .authenticate = orzatty::tokens({"YOUR_TOKEN"})});
  if (!server) {
    std::cerr << server.error().text << '\n';
    return 1;
  }
  server->on(1, [](orzatty::Peer& peer, const orzatty::Message& m) { peer.send(1, m.payload()); });
  std::cout << "client " << *certificate.pin() << ' ' << server->addresses().front() << std::endl;
  server->run();
}
