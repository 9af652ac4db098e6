// How long to wait before the next try: doubling, jittered, bounded. A thousand clients that lost
// the same server do not come back in the same moment. Deterministic from its generator. One
// thread.
#pragma once

#include "base/prng.h"
#include "orzatty/time.h"

namespace orzatty::client {

class Backoff {
 public:
  // At first nearly at once: most losses are of one connection, not of the server.
  static constexpr Duration kFirst = std::chrono::milliseconds(100);

  Backoff(Duration delay_max, std::uint64_t seed) : delay_max_(delay_max), prng_(seed) {}

  // Between half of the current delay and all of it, behind a connection that lived that long. One
  // that lived for less than the longest delay did not help: a server that welcomes and then closes
  // is not asked ever faster.
  [[nodiscard]] Duration next(Duration lived);

 private:
  Duration delay_max_;
  Duration delay_ = kFirst;
  base::Prng prng_;
};

}  // namespace orzatty::client
