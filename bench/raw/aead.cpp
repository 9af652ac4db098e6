// What the encryption of a packet costs alone, AES-128-GCM by the library that the program uses
// here. The same packet again and again, so that it lies in the cache. Prints one line of JSON.
//
// Usage: aead [SIZE] [SECONDS]

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "arguments.h"
#include "net/clock.h"
#include "quic/ipsec_mb.h"
#include "quic/packet_protection.h"
#include "runtime/packet_protection.h"
#include "sockets.h"

namespace orzatty::raw {
namespace {

constexpr std::array<std::uint8_t, 16> kKey{1, 2, 3};
constexpr std::array<std::uint8_t, quic::ipsec_mb::kNonceSize> kNonce{4, 5, 6};
constexpr std::array<std::uint8_t, 21> kHeader{7, 8, 9};
constexpr std::uint64_t kClockEvery = 1024;  // packets between two looks at the clock

template <class Seal>
double ns_per_packet(Duration time, Seal seal) {
  const Instant start = net::now();
  std::uint64_t count = 0;
  while (count % kClockEvery != 0 || net::now() - start < time) {
    seal();
    ++count;
  }
  return static_cast<double>((net::now() - start).count()) / static_cast<double>(count);
}

double by_ipsec_mb(std::size_t size, Duration time) {
  const quic::ipsec_mb::GcmKey key(kKey);
  std::vector<std::uint8_t> packet(size + quic::ipsec_mb::kTagSize);
  return ns_per_packet(time, [&] {
    key.seal(packet.data(), quic::ipsec_mb::Octets(packet).first(size), kNonce, kHeader);
  });
}

double by_gnutls(std::size_t size, Duration time) {
  gnutls_aead_cipher_hd_t cipher{};
  std::array<std::uint8_t, 16> bytes = kKey;
  const gnutls_datum_t key{bytes.data(), static_cast<unsigned>(bytes.size())};
  if (gnutls_aead_cipher_init(&cipher, GNUTLS_CIPHER_AES_128_GCM, &key) != 0) fail("gnutls");
  std::vector<std::uint8_t> packet(size + quic::ipsec_mb::kTagSize);
  std::vector<std::uint8_t> out(packet.size());
  const double found = ns_per_packet(time, [&] {
    std::size_t sealed = out.size();
    if (gnutls_aead_cipher_encrypt(cipher, kNonce.data(), kNonce.size(), kHeader.data(),
                                   kHeader.size(), quic::ipsec_mb::kTagSize, packet.data(), size,
                                   out.data(), &sealed) != 0) {
      fail("gnutls");
    }
  });
  gnutls_aead_cipher_deinit(cipher);
  return found;
}

}  // namespace
}  // namespace orzatty::raw

int main(int count, char** words) {
  using namespace orzatty;
  const auto given =
      raw::arguments(count, words, {.size = 1430, .time = std::chrono::seconds(1)});
  if (!given) return 2;
  const std::string used(quic::name_of(runtime::packet_protection()));
  const double time = used == "ipsec-mb" ? raw::by_ipsec_mb(given->size, given->time)
                                         : raw::by_gnutls(given->size, given->time);
  std::printf(
      "{\"bench\": \"aead\", \"encrypted_by\": \"%s\", \"size\": %zu, \"ns_per_packet\": %.1f}\n",
      used.c_str(), given->size, time);
  return 0;
}
