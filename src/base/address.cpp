#include "base/address.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace orzatty::base {
namespace {

using Groups = std::array<std::uint16_t, 8>;

// A whole number without sign or leading zeros, which some readers would take for octal.
std::optional<std::uint32_t> parse_decimal(std::string_view text, std::uint32_t max) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return {};
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return {};
  return value;
}

std::optional<std::array<std::byte, 16>> parse_ipv4(std::string_view text) {
  std::array<std::byte, 16> ip{};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t end = i < 3 ? text.find('.') : text.size();
    if (end == std::string_view::npos) return {};
    const auto value = parse_decimal(text.substr(0, end), 255);
    if (!value) return {};
    ip[i] = static_cast<std::byte>(*value);
    if (i < 3) text.remove_prefix(end + 1);
  }
  return ip;
}

std::optional<std::uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return {};
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

// Groups between colons, of which the last may be an IPv4 address; how many there were.
std::optional<std::size_t> parse_groups(std::string_view text, Groups& groups) {
  std::size_t count = 0;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const auto part = text.substr(0, colon);
    if (colon == std::string_view::npos && part.find('.') != std::string_view::npos) {
      const auto ipv4 = parse_ipv4(part);
      if (!ipv4 || count > 6) return {};
      const auto octet = [&](std::size_t i) { return std::to_integer<std::uint32_t>((*ipv4)[i]); };
      groups[count++] = static_cast<std::uint16_t>(octet(0) << 8 | octet(1));
      groups[count++] = static_cast<std::uint16_t>(octet(2) << 8 | octet(3));
      return count;
    }
    const auto group = parse_group(part);
    if (!group || count == groups.size()) return {};
    groups[count++] = *group;
    if (colon == std::string_view::npos) return count;
    text.remove_prefix(colon + 1);
    if (text.empty()) return {};  // ends with a colon
  }
  return count;
}

std::optional<std::array<std::byte, 16>> parse_ipv6(std::string_view text) {
  Groups groups{};
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (parse_groups(text, groups) != groups.size()) return {};
  } else {
    Groups tail{};
    const auto before = parse_groups(text.substr(0, gap), groups);
    const auto after = parse_groups(text.substr(gap + 2), tail);
    if (!before || !after || *before + *after >= groups.size()) return {};
    std::copy_n(tail.begin(), *after, groups.end() - static_cast<std::ptrdiff_t>(*after));
  }
  std::array<std::byte, 16> ip{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    ip[2 * i] = static_cast<std::byte>(groups[i] >> 8);
    ip[2 * i + 1] = static_cast<std::byte>(groups[i] & 0xff);
  }
  return ip;
}

void append_number(std::string& text, std::uint32_t value, int base) {
  std::array<char, 12> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, base);
  text.append(digits.data(), end);
}

struct Run {
  std::size_t begin = 0;
  std::size_t size = 0;
};

// The first of the longest runs of zero groups, which "::" replaces (RFC 5952, section 4.2).
Run longest_zero_run(const Groups& groups) {
  Run best;
  Run current;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i] != 0) {
      current = {};
      continue;
    }
    if (current.size == 0) current.begin = i;
    ++current.size;
    if (current.size > best.size) best = current;
  }
  return best.size >= 2 ? best : Run{};
}

void append_ipv6(std::string& text, const std::array<std::byte, 16>& ip) {
  Groups groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<std::uint16_t>(std::to_integer<std::uint32_t>(ip[2 * i]) << 8 |
                                           std::to_integer<std::uint32_t>(ip[2 * i + 1]));
  }
  const Run gap = longest_zero_run(groups);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (gap.size > 0 && i == gap.begin) {
      text += "::";
      i += gap.size - 1;
      continue;
    }
    if (i > 0 && text.back() != ':') text += ':';
    append_number(text, groups[i], 16);
  }
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  const auto port = parse_decimal(text.substr(colon + 1), 65535);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto ip = bracketed ? parse_ipv6(host) : parse_ipv4(host);
  if (!port || !ip) return {};
  return Address{bracketed ? Family::kIpv6 : Family::kIpv4, *ip, static_cast<std::uint16_t>(*port)};
}

std::string Address::text() const {
  std::string text;
  if (family == Family::kIpv6) {
    text += '[';
    append_ipv6(text, ip);
    text += ']';
  } else {
    for (std::size_t i = 0; i < 4; ++i) {
      if (i > 0) text += '.';
      append_number(text, std::to_integer<std::uint32_t>(ip[i]), 10);
    }
  }
  text += ':';
  append_number(text, port, 10);
  return text;
}

}  // namespace orzatty::base
