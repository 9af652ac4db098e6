// A typed message, with a schema that the package's function compiled.
#include <iostream>

#include "level_typed.h"
#include "orzatty/version.h"

int main() {
  const consumer::Level sent(17.5, 100);
  const orzatty::Payload payload = orzatty::typed(sent);
  const orzatty::Message message(payload.type(), payload.bytes(), "quotes", "alice", orzatty::Offset(0));
  const auto level = orzatty::as<consumer::Level>(message);
  std::cout << "without its schema: " << (level ? "read" : name(level.error())) << "\n";
  std::cout << "orzatty " << orzatty::kVersion << "\n";
}
