// The fields of Limits by name, for whoever reads them from a file, and what must hold between them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "orzatty/limits.h"

namespace orzatty::base {

struct CountLimit {
  std::string_view name;
  std::uint32_t Limits::* member;
};
struct DurationLimit {
  std::string_view name;
  Duration Limits::* member;
};
std::span<const CountLimit> count_limits();
std::span<const DurationLimit> duration_limits();

// One sentence for the first thing that cannot be, if there is one.
std::optional<std::string> problem_of(const Limits& limits);

}  // namespace orzatty::base
