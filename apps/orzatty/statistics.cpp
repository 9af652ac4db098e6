#include "statistics.h"

#include <algorithm>
#include <cstddef>

#include "base/assert.h"

namespace orzatty::apps {

Spread spread_of(std::vector<double> values) {
  ORZATTY_ASSERT(!values.empty());
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {.median = median, .least = values.front(), .most = values.back()};
}

Percentiles percentiles_of(std::vector<Duration> times) {
  ORZATTY_ASSERT(!times.empty());
  std::ranges::sort(times);
  // The least time that so many per mille do not exceed.
  const auto at = [&times](std::size_t per_mille) {
    const std::size_t rank = (times.size() * per_mille + 999) / 1000;
    return std::chrono::duration<double, std::micro>(times[rank - 1]).count();
  };
  return {.p50 = at(500), .p99 = at(990), .p999 = at(999)};
}

}  // namespace orzatty::apps
