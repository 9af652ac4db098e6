// The version of the library and of the protocol that it speaks.
#pragma once

#include <cstdint>
#include <string_view>

namespace orzatty {

inline constexpr std::string_view kVersion = "0.2.0";
inline constexpr std::uint64_t kProtocolVersion = 1;
inline constexpr std::string_view kAlpn = "orzatty/1";

}  // namespace orzatty
