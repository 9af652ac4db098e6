// How long to wait before the next try: doubling, jittered, bounded. A thousand clients that lost
// the same server do not come back in the same moment. Deterministic from its generator.
#pragma once

#include <algorithm>

#include "base/prng.h"
#include "orzatty/time.h"

namespace orzatty::client {

class Backoff {
 public:
  static constexpr Duration kFirst = std::chrono::milliseconds(50);

  Backoff(Duration delay_max, std::uint64_t seed) : delay_max_(delay_max), prng_(seed) {}

  // Between half of the current delay and all of it.
  [[nodiscard]] Duration next() {
    const Duration delay = std::min(delay_, delay_max_);
    delay_ = std::min(2 * delay_, delay_max_);
    const auto half = static_cast<std::uint64_t>(delay.count() / 2);
    return Duration(static_cast<Duration::rep>(half + prng_.below(half + 1)));
  }
  void reset() { delay_ = kFirst; }

 private:
  Duration delay_max_;
  Duration delay_ = kFirst;
  base::Prng prng_;
};

}  // namespace orzatty::client
