// What the lab says of itself: one line while it runs, an account at the end.
#pragma once

#include <string>
#include <vector>

#include "lab_relay.h"
#include "orzatty/time.h"

namespace orzatty::apps {

struct LabReport {
  LabCounts counts;
  std::uint64_t seed = 0;
  Duration time{};
};

// Rates are of what happened since `before`.
std::string live_line(const LabRelay& relay, const LabReport& now, const LabReport& before);
std::vector<std::string> summary_lines(const LabReport& report);
std::string summary_json(const LabReport& report);

}  // namespace orzatty::apps
