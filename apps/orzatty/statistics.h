// Numbers of several runs, and times of many round trips, as a reader wants them.
#pragma once

#include <vector>

#include "orzatty/time.h"

namespace orzatty::apps {

// Machines are noisy: no run alone says anything, and a mean tells of the worst one.
struct Spread {
  double median = 0;
  double least = 0;
  double most = 0;
};
Spread spread_of(std::vector<double> values);  // of one or more

struct Percentiles {
  double p50 = 0;  // microseconds
  double p99 = 0;
  double p999 = 0;
};
Percentiles percentiles_of(std::vector<Duration> times);  // of one or more

}  // namespace orzatty::apps
