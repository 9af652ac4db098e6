#include "sim/entropy.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <cstddef>
#include <cstring>
#include <ctime>
#include <span>

#include "base/prng.h"

namespace orzatty::sim {
namespace {

struct Entropy {
  base::Prng source{0};
  std::uint64_t draws = 0;
};

// GnuTLS draws before main() too, when nothing of ours is constructed.
Entropy& entropy() {
  static Entropy all;
  return all;
}

constexpr time_t kFrozenTime = 1'800'000'000;

}  // namespace

void seed_entropy(std::uint64_t seed) {
  entropy() = Entropy{base::Prng(seed), 0};
  gnutls_global_set_time_function([](time_t* into) {
    if (into != nullptr) *into = kFrozenTime;
    return kFrozenTime;
  });
}

std::uint64_t entropy_draws() { return entropy().draws; }

}  // namespace orzatty::sim

// The dynamic linker finds this one before the library's own, also for calls from inside of it.
extern "C" [[gnu::visibility("default")]] int gnutls_rnd(gnutls_rnd_level_t /*level*/, void* data,
                                                         std::size_t size) {
  auto& entropy = orzatty::sim::entropy();
  ++entropy.draws;
  auto* bytes = static_cast<unsigned char*>(data);
  while (size > 0) {
    const std::uint64_t word = entropy.source.next();
    const std::size_t taken = size < sizeof word ? size : sizeof word;
    std::memcpy(bytes, &word, taken);
    bytes += taken;
    size -= taken;
  }
  return 0;
}
