// What an authenticator may call a peer: the name stands on every message that the peer publishes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace orzatty::runtime {

// What is wrong with an identity, as the end of "the identity ..."; nothing when it is fine: 1 to 255
// bytes of UTF-8 that do not begin with '$', which is the server's own.
std::optional<std::string> problem_of_identity(std::string_view identity);

}  // namespace orzatty::runtime
