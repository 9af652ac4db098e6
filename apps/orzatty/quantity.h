// Quantities as people write and read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "orzatty/time.h"

namespace orzatty::apps {

// A whole number without sign.
std::optional<std::uint64_t> parse_count(std::string_view text);
// "250us", "5ms", "1.5s", "10m", "12h", "7d".
std::optional<Duration> parse_duration(std::string_view text);
// "64kbit/s", "10Mbit/s", "1.5MB/s", in bytes per second; at least one.
std::optional<std::uint64_t> parse_rate(std::string_view text);

std::string text_of_size(double bytes);           // "1.5 MB"
std::string text_of_rate(double per_second);      // "1.25 M", to be followed by what is counted
std::string text_of_duration(Duration duration);  // "1.25 ms"
std::string fixed(double value, int decimals);
double seconds(Duration duration);

}  // namespace orzatty::apps
