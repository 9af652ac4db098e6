// AES for packets by Intel's ipsec-mb: some three times as fast as GnuTLS where the processor has
// vector AES. Whether it can be used is known at run time; the build may be without it as well.
//
// Keys are immutable: one may be used by several threads, and they are wiped when they go.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace orzatty::quic::ipsec_mb {

inline constexpr std::size_t kNonceSize = 12;
inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kSampleSize = 16;
inline constexpr std::size_t kMaskSize = 5;

using Octets = std::span<const std::uint8_t>;
using Nonce = std::span<const std::uint8_t, kNonceSize>;

// Whether this build has the library and this processor what it is fast with. Nothing below may be
// used otherwise.
[[nodiscard]] bool available();

struct Functions;  // of the library, for one size of key

// AES-GCM with a key of 16 or 32 bytes.
class GcmKey {
 public:
  explicit GcmKey(Octets key);
  ~GcmKey();
  GcmKey(const GcmKey&) = delete;
  GcmKey& operator=(const GcmKey&) = delete;

  // Writes as many bytes as the plaintext has, and the tag. It may lie where the plaintext does.
  void seal(std::uint8_t* out, Octets plaintext, Nonce nonce, Octets associated) const;
  // `sealed` ends with the tag. False when it is not authentic, and then `out` holds zeroes.
  [[nodiscard]] bool open(std::uint8_t* out, Octets sealed, Nonce nonce, Octets associated) const;

 private:
  static constexpr std::size_t kExpandedSize = 1008;  // with `functions_` 16 lines of cache
  // Unused in a build without the library.
  [[maybe_unused]] alignas(64) std::array<std::uint8_t, kExpandedSize> expanded_{};
  [[maybe_unused]] const Functions* functions_;
};

// AES with a key of 16 or 32 bytes, for header protection.
class BlockKey {
 public:
  explicit BlockKey(Octets key);
  ~BlockKey();
  BlockKey(const BlockKey&) = delete;
  BlockKey& operator=(const BlockKey&) = delete;

  // RFC 9001, section 5.4.3. The two may not overlap.
  void mask(std::uint8_t* out, const std::uint8_t* sample) const;

 private:
  static constexpr std::size_t kRoundKeysSize = 15 * 16;
  [[maybe_unused]] alignas(16) std::array<std::uint8_t, kRoundKeysSize> round_keys_{};
  [[maybe_unused]] std::size_t rounds_;
};

}  // namespace orzatty::quic::ipsec_mb
