// TCP on the loopback without delay, for peers that bring no sockets of their own.
#pragma once

#include <cstdint>

#include "net/file_descriptor.h"

namespace orzatty::peers {

class Listener {
 public:
  Listener();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] net::FileDescriptor accept() const;

 private:
  net::FileDescriptor socket_;
};

net::FileDescriptor connect_to(std::uint16_t port);

}  // namespace orzatty::peers
