#include "client/backoff.h"

#include <algorithm>

namespace orzatty::client {

Duration Backoff::next(Duration lived) {
  if (lived >= delay_max_) delay_ = kFirst;
  const Duration delay = std::min(delay_, delay_max_);
  delay_ = std::min(2 * delay_, delay_max_);
  const auto half = static_cast<std::uint64_t>(delay.count() / 2);
  return Duration(static_cast<Duration::rep>(half + prng_.below(half + 1)));
}

}  // namespace orzatty::client
