// Wall-clock time for people and logs.
#pragma once

#include <cstdint>
#include <string>

namespace orzatty::apps {

std::string utc(std::int64_t unix_seconds);  // "2026-11-22T23:05:00Z"

}  // namespace orzatty::apps
