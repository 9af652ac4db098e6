// The chance of the whole process: GnuTLS, and ngtcp2 through it, draw from here in the simulator's
// programs, as entropy.cpp takes the place of gnutls_rnd(). The clock of certificates stands still.
//
// One per process, because GnuTLS has one. A run seeds it and nothing else draws from it.
#pragma once

#include <cstdint>

namespace orzatty::sim {

// From here on TLS is a function of `seed`.
void seed_entropy(std::uint64_t seed);
// How often TLS asked for chance since then: 0 behind a handshake means that the hook does not
// hold.
std::uint64_t entropy_draws();

}  // namespace orzatty::sim
