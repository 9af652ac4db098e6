// Links all there is, and includes the front doors where they are installed.
#include <iostream>

#include "orzatty/version.h"
#if __has_include("orzatty/client.h")
#include "orzatty/client.h"
#endif
#if __has_include("orzatty/server.h")
#include "orzatty/server.h"
#endif

int main() {
  std::cout << "orzatty " << orzatty::kVersion << '\n';
  return 0;
}
