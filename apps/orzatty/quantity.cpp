#include "quantity.h"

#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <system_error>

namespace orzatty::apps {
namespace {

struct Unit {
  double factor;
  std::string_view name;
};

// `units` from the largest to the smallest, which takes the rest.
std::string text_with_unit(double value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value < unit.factor && &unit != &units.back()) continue;
    const double scaled = value / unit.factor;
    const bool whole = scaled == std::floor(scaled) && scaled < 1000;
    std::string text = fixed(scaled, whole ? 0 : (scaled < 10 ? 2 : 1));
    if (!unit.name.empty()) text += ' ';
    return text += unit.name;
  }
  return {};
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return count;
}

std::optional<Duration> parse_duration(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc{} || value < 0) return std::nullopt;
  constexpr std::array<Unit, 7> units = {{{1, "ns"},
                                          {1e3, "us"},
                                          {1e6, "ms"},
                                          {1e9, "s"},
                                          {60e9, "m"},
                                          {3600e9, "h"},
                                          {86400e9, "d"}}};
  for (const Unit& unit : units) {
    if (std::string_view(rest, end) != unit.name) continue;
    const double nanoseconds = value * unit.factor;
    if (nanoseconds > 9e18) return std::nullopt;  // does not fit a Duration
    return Duration(static_cast<Duration::rep>(std::llround(nanoseconds)));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_rate(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  constexpr std::array<Unit, 8> units = {{{1.0 / 8, "bit/s"},
                                          {1e3 / 8, "kbit/s"},
                                          {1e6 / 8, "Mbit/s"},
                                          {1e9 / 8, "Gbit/s"},
                                          {1, "B/s"},
                                          {1e3, "kB/s"},
                                          {1e6, "MB/s"},
                                          {1e9, "GB/s"}}};
  for (const Unit& unit : units) {
    if (std::string_view(rest, end) != unit.name) continue;
    const double bytes = value * unit.factor;
    if (!(bytes >= 1 && bytes <= 1e15)) return std::nullopt;
    return static_cast<std::uint64_t>(bytes);
  }
  return std::nullopt;
}

std::string fixed(double value, int decimals) {
  std::array<char, 64> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                          std::chars_format::fixed, decimals);
  return error == std::errc{} ? std::string(buffer.data(), end) : "?";
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string text_of_size(double bytes) {
  constexpr std::array<Unit, 5> units = {
      {{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "KB"}, {1, "bytes"}}};
  return text_with_unit(bytes, units);
}

std::string text_of_rate(double per_second) {
  constexpr std::array<Unit, 3> units = {{{1e6, "M"}, {1e3, "k"}, {1, ""}}};
  return text_with_unit(per_second, units);
}

std::string text_of_duration(Duration duration) {
  constexpr std::array<Unit, 4> units = {{{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}}};
  return text_with_unit(static_cast<double>(duration.count()), units);
}

}  // namespace orzatty::apps
