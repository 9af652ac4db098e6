// Names to addresses, by the system's resolver. It blocks while the network is asked, so it runs
// before a connection is made and never on an event loop. Any thread.
#pragma once

#include <expected>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "orzatty/error.h"

namespace orzatty::net {

// "localhost:5000", "127.0.0.1:5000", "[::1]:5000": at least one address, in the order in which
// they should be tried. Port 0 is allowed: for listening it means any.
std::expected<std::vector<base::Address>, Error> resolve(std::string_view host_port);

}  // namespace orzatty::net
