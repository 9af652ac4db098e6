// All that a server tells Prometheus, in its text format. Labels take their values from the
// configuration and from the protocol's registries alone, never from names that clients choose: so
// their number is bounded, and nothing secret is among them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "event_counts.h"
#include "orzatty/limits.h"
#include "orzatty/server.h"
#include "process_figures.h"

namespace orzatty::apps {

struct Figures {
  ServerStats stats;
  Events events = {};
  ProcessFigures process = {};
  Limits limits = {};
  std::int64_t certificate_expires = 0;    // Unix seconds
  std::vector<std::string> patterns = {};  // of stats.traffic, but for the last
};

std::string metrics_text(const Figures& figures);

}  // namespace orzatty::apps
