// What the system says of this process, as every exporter of Prometheus does. Any thread.
#pragma once

#include <cstdint>

namespace orzatty::apps {

struct ProcessFigures {
  double cpu_seconds = 0;
  double start_seconds = 0;  // since 1970
  double resident_bytes = 0;
  double virtual_bytes = 0;
  double open_fds = 0;
  double max_fds = 0;
  double threads = 0;
};

ProcessFigures process_figures();

}  // namespace orzatty::apps
