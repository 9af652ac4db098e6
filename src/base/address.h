// The address of a UDP endpoint as a value, the same for the world and for the simulator.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace orzatty::base {

struct Address {
  enum class Family : std::uint8_t { kIpv4, kIpv6 };

  Family family = Family::kIpv4;
  std::array<std::byte, 16> ip{};  // network order; IPv4 uses the first four
  std::uint16_t port = 0;          // host order

  auto operator<=>(const Address&) const = default;
  // Asked for each packet; the default compares byte by byte.
  bool operator==(const Address& other) const {
    return port == other.port && family == other.family &&
           std::memcmp(ip.data(), other.ip.data(), ip.size()) == 0;
  }

  // "127.0.0.1:5000", "[::1]:5000". Numeric only: names are the resolver's.
  static std::optional<Address> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
};

}  // namespace orzatty::base
