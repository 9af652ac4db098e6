// A chat for terminals. Rooms are channels, and names are the server's to state: whoever has a
// token is who it belongs to, in every message.
//
//   chat host 127.0.0.1:5001 alice=apple bob=pear    says by which pin it is recognised
//   chat join 127.0.0.1:5001 PIN apple kitchen       shows the last ten lines, sends what you type
//   chat join 127.0.0.1:5001 PIN pear '*'            listens to every room
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orzatty/client.h"
#include "orzatty/server.h"

namespace {

int fail(std::string_view text) {
  std::cerr << "chat: " << text << '\n';
  return 1;
}

int host(const std::string& address, std::span<char*> people) {
  std::vector<orzatty::NamedToken> tokens;
  for (const std::string_view person : people) {
    const auto equals = person.find('=');
    if (equals == std::string_view::npos) return fail("who? write NAME=TOKEN");
    tokens.push_back(
        {std::string(person.substr(0, equals)), std::string(person.substr(equals + 1))});
  }
  const auto certificate = orzatty::Certificate::self_signed();
  if (!certificate) return fail(certificate.error().text);
  orzatty::ServerOptions options;
  options.certificate = *certificate;
  options.authenticate = orzatty::named_tokens(std::move(tokens));
  options.channel_default.retention.count = 1000;
  auto server = orzatty::Server::bind(address, std::move(options));
  if (!server) return fail(server.error().text);
  std::cout << "chat join " << server->addresses().front() << ' ' << *certificate->pin()
            << " TOKEN ROOM" << std::endl;
  const auto served = server->run();
  return served ? 0 : fail(served.error().text);
}

void show(const orzatty::Message& message) {
  const std::string_view room = message.channel().substr(std::string_view("room.").size());
  std::cout << '[' << room << "] " << message.publisher() << ": " << message.text() << std::endl;
}

int join(const std::string& address, const std::string& pin, const std::string& token,
         const std::string& room) {
  orzatty::ClientOptions options;
  options.token = token;
  options.trust = orzatty::Trust::pinned(pin);
  options.on_state = [](const orzatty::StateEvent& event) {
    if (event.state == orzatty::ConnectionState::kReconnecting) {
      std::cerr << "chat: connecting again: " << event.text << '\n';
    }
  };
  auto client = orzatty::Client::connect(address, std::move(options));
  if (!client) return fail(client.error().text);
  orzatty::SubscribeOptions listening;
  listening.from = orzatty::StartPosition::last(10);
  const auto subscription = client->subscribe("room." + room, show, std::move(listening));
  if (!subscription) return fail(subscription.error().text);

  for (std::string line; std::getline(std::cin, line);) {
    const auto sent = client->send("room." + room, orzatty::Payload::text(line));
    if (!sent) return fail(sent.error().text);
    client->flush();
  }
  const auto closed = client->close();  // what was typed last arrives, too
  return closed ? 0 : fail(closed.error().text);
}

}  // namespace

int main(int count, char** words) {
  const std::vector<char*> given(words + 1, words + count);
  if (given.size() >= 3 && given[0] == std::string_view("host")) {
    return host(given[1], std::span(words + 3, words + count));
  }
  if (given.size() == 5 && given[0] == std::string_view("join")) {
    return join(given[1], given[2], given[3], given[4]);
  }
  std::cerr << "usage: chat host ADDRESS NAME=TOKEN... | chat join ADDRESS PIN TOKEN ROOM\n";
  return 2;
}
