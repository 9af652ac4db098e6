// What the encryption of a packet costs, by each library: with ngtcp2's callbacks, as a connection
// calls them.

#include <benchmark/benchmark.h>
#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <array>
#include <cstdint>
#include <vector>

#include "quic/ipsec_mb.h"

namespace orzatty::quic {
namespace {

constexpr std::array<std::uint8_t, 16> kKey{1, 2, 3};
constexpr std::array<std::uint8_t, ipsec_mb::kNonceSize> kNonce{4, 5, 6};
constexpr std::array<std::uint8_t, 21> kHeader{7, 8, 9};

std::size_t size_of(const benchmark::State& state) {
  return static_cast<std::size_t>(state.range(0));
}

void count_bytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// One packet encrypted and decrypted again.
void ByGnutls(benchmark::State& state) {
  const ngtcp2_crypto_aead cipher{
      reinterpret_cast<void*>(std::uintptr_t{GNUTLS_CIPHER_AES_128_GCM}), ipsec_mb::kTagSize};
  ngtcp2_crypto_aead_ctx sending{};
  ngtcp2_crypto_aead_ctx receiving{};
  ngtcp2_crypto_aead_ctx_encrypt_init(&sending, &cipher, kKey.data(), kNonce.size());
  ngtcp2_crypto_aead_ctx_decrypt_init(&receiving, &cipher, kKey.data(), kNonce.size());
  std::vector<std::uint8_t> packet(size_of(state) + ipsec_mb::kTagSize);
  std::vector<std::uint8_t> out(packet.size());
  for (auto _ : state) {
    ngtcp2_crypto_encrypt(packet.data(), &cipher, &sending, packet.data(), size_of(state),
                          kNonce.data(), kNonce.size(), kHeader.data(), kHeader.size());
    const int error =
        ngtcp2_crypto_decrypt(out.data(), &cipher, &receiving, packet.data(), packet.size(),
                              kNonce.data(), kNonce.size(), kHeader.data(), kHeader.size());
    if (error != 0) return state.SkipWithError("not authentic");
  }
  ngtcp2_crypto_aead_ctx_free(&sending);
  ngtcp2_crypto_aead_ctx_free(&receiving);
  count_bytes(state);
}
BENCHMARK(ByGnutls)->Arg(50)->Arg(256)->Arg(1430);

void ByIpsecMb(benchmark::State& state) {
  if (!ipsec_mb::available()) return state.SkipWithError("not available here");
  const ipsec_mb::GcmKey key(kKey);
  std::vector<std::uint8_t> packet(size_of(state) + ipsec_mb::kTagSize);
  std::vector<std::uint8_t> out(packet.size());
  for (auto _ : state) {
    key.seal(packet.data(), ipsec_mb::Octets(packet).first(size_of(state)), kNonce, kHeader);
    if (!key.open(out.data(), packet, kNonce, kHeader)) {
      return state.SkipWithError("not authentic");
    }
  }
  count_bytes(state);
}
// ipsec-mb 1.3 writes to one variable of the process at each call: two threads show what that
// costs.
BENCHMARK(ByIpsecMb)->Arg(50)->Arg(256)->Arg(1430)->Threads(1)->Threads(2);

void MaskByIpsecMb(benchmark::State& state) {
  if (!ipsec_mb::available()) return state.SkipWithError("not available here");
  const ipsec_mb::BlockKey key(kKey);
  std::array<std::uint8_t, ipsec_mb::kSampleSize> sample{};
  for (auto _ : state) {
    key.mask(sample.data(), kKey.data());
    benchmark::DoNotOptimize(sample);
  }
}
BENCHMARK(MaskByIpsecMb);

}  // namespace
}  // namespace orzatty::quic
