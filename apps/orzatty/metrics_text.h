// A server's counters in the text format of Prometheus.
#pragma once

#include <string>

#include "orzatty/server.h"

namespace orzatty::apps {

std::string metrics_text(const ServerStats& stats);

}  // namespace orzatty::apps
