// Says hello to the server that has this pin and prints the answer:  client PIN [ADDRESS]
#include "orzatty/client.h"

#include <future>
#include <iostream>
#include <string>

int main(int count, char** words) {
  if (count < 2) return 2;
  std::promise<std::string> echo;
  auto client =
      orzatty::Client::connect(count > 2 ? words[2] : "127.0.0.1:5000",
                               {.token = "YOUR_TOKEN", .trust = orzatty::Trust::pinned(words[1])});
  if (!client) {
    std::cerr << client.error().text << '\n';
    return 1;
  }
  client->on(1, [&](const orzatty::Message& m) { echo.set_value(std::string(m.text())); });
  client->send(1, "Hello Orzatty");
  std::cout << echo.get_future().get() << '\n';
}
