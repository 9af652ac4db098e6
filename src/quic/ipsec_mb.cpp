#include "quic/ipsec_mb.h"

#include "base/assert.h"

#if ORZATTY_HAS_IPSEC_MB && defined(__x86_64__)

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <intel-ipsec-mb.h>
#include <wmmintrin.h>

#include <cstring>

namespace orzatty::quic::ipsec_mb {

struct Functions {
  std::size_t rounds;
  keyexp_t expand_block_key;
  aes_gcm_pre_t expand_gcm_key;
  aes_gcm_enc_dec_t encrypt;
  aes_gcm_enc_dec_t decrypt;
};

namespace {

struct Library {
  bool usable = false;
  Functions aes_128{};
  Functions aes_256{};
};

bool is_usable(IMB_MGR& library) {
  // Without them ipsec-mb would fall back to ways that are not faster than GnuTLS.
  constexpr std::uint64_t kNeeded =
      IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_AVX | IMB_FEATURE_SELF_TEST_PASS;
  return imb_get_errno(&library) == 0 && (library.features & kNeeded) == kNeeded;
}

// All that is needed of the library's state is which functions it chose for this processor: so the
// state, 200 KiB of it, goes again, and there is nothing that threads would share.
Library load() {
  IMB_MGR* library = alloc_mb_mgr(0);
  if (library == nullptr) return {};
  init_mb_mgr_auto(library, nullptr);  // tests itself, which takes half a millisecond
  Library result;
  if (is_usable(*library)) {
    result.usable = true;
    result.aes_128 = {10, library->keyexp_128, library->gcm128_pre, library->gcm128_enc,
                      library->gcm128_dec};
    result.aes_256 = {14, library->keyexp_256, library->gcm256_pre, library->gcm256_enc,
                      library->gcm256_dec};
  }
  free_mb_mgr(library);
  return result;
}

const Library& loaded() {
  static const Library library = load();
  return library;
}

const Functions& functions_for(Octets key) {
  ORZATTY_ASSERT(loaded().usable);
  ORZATTY_ASSERT(key.size() == 16 || key.size() == 32);
  return key.size() == 16 ? loaded().aes_128 : loaded().aes_256;
}

template <std::size_t Size>
void wipe(std::array<std::uint8_t, Size>& secret) {
  gnutls_memset(secret.data(), 0, secret.size());
}

gcm_key_data* native(std::uint8_t* expanded) { return reinterpret_cast<gcm_key_data*>(expanded); }

const gcm_key_data* native(const std::uint8_t* expanded) {
  return reinterpret_cast<const gcm_key_data*>(expanded);
}

}  // namespace

bool available() { return loaded().usable; }

GcmKey::GcmKey(Octets key) : functions_(&functions_for(key)) {
  static_assert(sizeof(gcm_key_data) <= kExpandedSize && alignof(gcm_key_data) <= 64);
  functions_->expand_gcm_key(key.data(), native(expanded_.data()));
}

GcmKey::~GcmKey() { wipe(expanded_); }

void GcmKey::seal(std::uint8_t* out, Octets plaintext, Nonce nonce, Octets associated) const {
  gcm_context_data context;
  functions_->encrypt(native(expanded_.data()), &context, out, plaintext.data(), plaintext.size(),
                      nonce.data(), associated.data(), associated.size(), out + plaintext.size(),
                      kTagSize);
}

bool GcmKey::open(std::uint8_t* out, Octets sealed, Nonce nonce, Octets associated) const {
  if (sealed.size() < kTagSize) return false;
  const Octets ciphertext = sealed.first(sealed.size() - kTagSize);
  const Octets expected = sealed.last<kTagSize>();
  gcm_context_data context;
  std::array<std::uint8_t, kTagSize> tag{};
  functions_->decrypt(native(expanded_.data()), &context, out, ciphertext.data(), ciphertext.size(),
                      nonce.data(), associated.data(), associated.size(), tag.data(), tag.size());
  const bool authentic =
      gnutls_memcmp(tag.data(), expected.data(), tag.size()) == 0;  // constant time
  if (!authentic) {
    gnutls_memset(out, 0, ciphertext.size());
    wipe(tag);  // it is what a forger would need
  }
  return authentic;
}

BlockKey::BlockKey(Octets key) : rounds_(functions_for(key).rounds) {
  alignas(16) std::array<std::uint8_t, kRoundKeysSize> for_decryption{};
  functions_for(key).expand_block_key(key.data(), round_keys_.data(), for_decryption.data());
  wipe(for_decryption);
}

BlockKey::~BlockKey() { wipe(round_keys_); }

// ipsec-mb has a single block only as a job for its queues, which is far more work than the block.
[[gnu::target("aes")]] void BlockKey::mask(std::uint8_t* out, const std::uint8_t* sample) const {
  const auto* keys = reinterpret_cast<const __m128i*>(round_keys_.data());
  __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sample));
  block = _mm_xor_si128(block, keys[0]);
  for (std::size_t round = 1; round < rounds_; ++round)
    block = _mm_aesenc_si128(block, keys[round]);
  block = _mm_aesenclast_si128(block, keys[rounds_]);
  std::array<std::uint8_t, kSampleSize> bytes{};
  _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes.data()), block);
  std::memcpy(out, bytes.data(), kMaskSize);
}

}  // namespace orzatty::quic::ipsec_mb

#else  // without the library: on other processors than x86-64, or where it is not installed

namespace orzatty::quic::ipsec_mb {

bool available() { return false; }

GcmKey::GcmKey(Octets) : functions_(nullptr) { ORZATTY_UNREACHABLE(); }
GcmKey::~GcmKey() = default;
void GcmKey::seal(std::uint8_t*, Octets, Nonce, Octets) const { ORZATTY_UNREACHABLE(); }
bool GcmKey::open(std::uint8_t*, Octets, Nonce, Octets) const { ORZATTY_UNREACHABLE(); }

BlockKey::BlockKey(Octets) : rounds_(0) { ORZATTY_UNREACHABLE(); }
BlockKey::~BlockKey() = default;
void BlockKey::mask(std::uint8_t*, const std::uint8_t*) const { ORZATTY_UNREACHABLE(); }

}  // namespace orzatty::quic::ipsec_mb

#endif
