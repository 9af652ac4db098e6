// UDP sockets of two processes on the loopback, and what they do without our library.
#pragma once

#include <netinet/in.h>

#include <cstdint>

#include "net/file_descriptor.h"
#include "worker.h"

namespace orzatty::raw {

[[noreturn]] void fail(const char* what);

net::FileDescriptor bound_socket();
std::uint16_t port_of(const net::FileDescriptor& socket);
void connect_to(const net::FileDescriptor& socket, std::uint16_t port);
// Both sides tell each other their ports and connect to them. Gives the socket.
net::FileDescriptor connected_socket(apps::Conversation& conversation);

}  // namespace orzatty::raw
