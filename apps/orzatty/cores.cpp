#include "cores.h"

namespace orzatty::apps {

Cores::Cores() {
  CPU_ZERO(&allowed_);
  if (::sched_getaffinity(0, sizeof allowed_, &allowed_) != 0) CPU_ZERO(&allowed_);
}

void Cores::occupy(Side side) const {
  if (CPU_COUNT(&allowed_) < 2) return;
  std::size_t last = CPU_SETSIZE - 1;
  while (!CPU_ISSET(last, &allowed_)) --last;
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  if (side == Side::kServer) {
    CPU_SET(last, &wanted);
  } else {
    wanted = allowed_;
    CPU_CLR(last, &wanted);
  }
  // Where it is not allowed the measurement is only noisier.
  static_cast<void>(::sched_setaffinity(0, sizeof wanted, &wanted));
}

}  // namespace orzatty::apps
