#include "quic/packet_protection.h"

#include <gnutls/crypto.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/assert.h"

namespace orzatty::quic {
namespace {

using Octets = std::span<const std::uint8_t>;

constexpr std::size_t kKeySizeMax = 32;

// GnuTLS's handle of a cipher is a small number, so it is never this address.
constexpr char kCipherMark = 0;

bool is_ours(const void* cipher) { return cipher == &kCipherMark; }

bool usable(PacketProtection wanted) {
  return wanted == PacketProtection::kFastest && ipsec_mb::available();
}

// HKDF-Expand-Label of RFC 8446, section 7.1, with no context.
bool expand(std::span<std::uint8_t> out, const ngtcp2_crypto_md& hash, Octets secret,
            std::string_view label) {
  constexpr std::string_view kPrefix = "tls13 ";
  std::array<std::uint8_t, 32> info{};
  ORZATTY_ASSERT(out.size() <= 255 && label.size() + kPrefix.size() + 4 <= info.size());
  std::size_t size = 1;  // the first byte of the length is 0
  info[size++] = static_cast<std::uint8_t>(out.size());
  info[size++] = static_cast<std::uint8_t>(kPrefix.size() + label.size());
  for (const std::string_view text : {kPrefix, label}) {
    for (const char letter : text) info[size++] = static_cast<std::uint8_t>(letter);
  }
  info[size++] = 0;
  return ngtcp2_crypto_hkdf_expand(out.data(), out.size(), &hash, secret.data(), secret.size(),
                                   info.data(), size) == 0;
}

const ngtcp2_crypto_md& hash_of(ngtcp2_conn* connection) {
  return ngtcp2_conn_get_crypto_ctx(connection)->md;
}

template <class Key>
std::unique_ptr<Key> make_key(std::size_t size, ngtcp2_conn* connection, Octets secret,
                              std::string_view label) {
  std::array<std::uint8_t, kKeySizeMax> bytes{};
  const auto key = std::span(bytes).first(size);
  const bool expanded = expand(key, hash_of(connection), secret, label);
  auto result = expanded ? std::make_unique<Key>(key) : nullptr;
  gnutls_memset(bytes.data(), 0, bytes.size());
  return result;
}

template <class Key>
bool remove(std::vector<std::unique_ptr<Key>>& keys, const void* handle) {
  return std::erase_if(keys, [handle](const auto& key) { return key.get() == handle; }) > 0;
}

// What ngtcp2's helper for GnuTLS does by itself when nobody else does.
int install_by_gnutls(ngtcp2_conn* connection, gnutls_record_encryption_level_t native_level,
                      const TrafficSecrets& secrets) {
  const auto level = ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(native_level);
  const auto& [receiving, sending] = secrets;
  if (!receiving.empty() &&
      ngtcp2_crypto_derive_and_install_rx_key(connection, nullptr, nullptr, nullptr, level,
                                              receiving.data(), receiving.size()) != 0) {
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }
  if (!sending.empty() &&
      ngtcp2_crypto_derive_and_install_tx_key(connection, nullptr, nullptr, nullptr, level,
                                              sending.data(), sending.size()) != 0) {
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }
  return 0;
}

}  // namespace

std::string_view name_of(PacketProtection wanted) { return usable(wanted) ? "ipsec-mb" : "GnuTLS"; }

int encrypt_packet(std::uint8_t* out, const ngtcp2_crypto_aead* cipher,
                   const ngtcp2_crypto_aead_ctx* key, const std::uint8_t* plaintext,
                   std::size_t plaintext_size, const std::uint8_t* nonce, std::size_t nonce_size,
                   const std::uint8_t* associated, std::size_t associated_size) {
  if (!is_ours(cipher->native_handle)) {
    return ngtcp2_crypto_encrypt_cb(out, cipher, key, plaintext, plaintext_size, nonce, nonce_size,
                                    associated, associated_size);
  }
  if (nonce_size != ipsec_mb::kNonceSize) return NGTCP2_ERR_CALLBACK_FAILURE;
  static_cast<PacketKey*>(key->native_handle)
      ->expanded()
      .seal(out, Octets(plaintext, plaintext_size), ipsec_mb::Nonce(nonce, nonce_size),
            Octets(associated, associated_size));
  return 0;
}

int decrypt_packet(std::uint8_t* out, const ngtcp2_crypto_aead* cipher,
                   const ngtcp2_crypto_aead_ctx* key, const std::uint8_t* sealed,
                   std::size_t sealed_size, const std::uint8_t* nonce, std::size_t nonce_size,
                   const std::uint8_t* associated, std::size_t associated_size) {
  if (!is_ours(cipher->native_handle)) {
    return ngtcp2_crypto_decrypt_cb(out, cipher, key, sealed, sealed_size, nonce, nonce_size,
                                    associated, associated_size);
  }
  if (nonce_size != ipsec_mb::kNonceSize) return NGTCP2_ERR_CALLBACK_FAILURE;
  const bool authentic =
      static_cast<PacketKey*>(key->native_handle)
          ->expanded()
          .open(out, Octets(sealed, sealed_size), ipsec_mb::Nonce(nonce, nonce_size),
                Octets(associated, associated_size));
  return authentic ? 0 : NGTCP2_ERR_DECRYPT;
}

int mask_header(std::uint8_t* out, const ngtcp2_crypto_cipher* cipher,
                const ngtcp2_crypto_cipher_ctx* key, const std::uint8_t* sample) {
  if (!is_ours(cipher->native_handle)) return ngtcp2_crypto_hp_mask_cb(out, cipher, key, sample);
  static_cast<const ipsec_mb::BlockKey*>(key->native_handle)->mask(out, sample);
  return 0;
}

PacketKey::PacketKey(Octets key) : size_(key.size()) {
  ORZATTY_ASSERT(size_ <= bytes_.size());
  std::ranges::copy(key, bytes_.begin());
}

void PacketKey::expand() {
  expanded_ = std::make_unique<ipsec_mb::GcmKey>(Octets(bytes_).first(size_));
  wipe();
}

void PacketKey::wipe() { gnutls_memset(bytes_.data(), 0, bytes_.size()); }

int PacketKeys::install(ngtcp2_conn* connection, gnutls_session_t session,
                        gnutls_record_encryption_level_t level, const TrafficSecrets& secrets) {
  if (level == GNUTLS_ENCRYPTION_LEVEL_HANDSHAKE && !by_ipsec_mb()) choose(connection, session);
  if (!by_ipsec_mb()) return install_by_gnutls(connection, level, secrets);
  if (!secrets.receiving.empty()) {
    const int error = install_receiving(connection, level, secrets.receiving);
    if (error != 0) return error;
  }
  return secrets.sending.empty() ? 0 : install_sending(connection, level, secrets.sending);
}

// Packets of the handshake and those after it have one cipher in ngtcp2, so the choice is for both.
void PacketKeys::choose(ngtcp2_conn* connection, gnutls_session_t session) {
  if (!usable(wanted_)) return;
  // Version 2 derives its keys by other labels.
  if (ngtcp2_conn_get_negotiated_version(connection) == NGTCP2_PROTO_VER_V2) return;
  const gnutls_cipher_algorithm_t cipher = gnutls_cipher_get(session);
  if (cipher != GNUTLS_CIPHER_AES_128_GCM && cipher != GNUTLS_CIPHER_AES_256_GCM) return;
  ngtcp2_crypto_ctx context{};
  if (ngtcp2_crypto_ctx_tls(&context, session) == nullptr) return;
  ORZATTY_ASSERT(context.aead.max_overhead == ipsec_mb::kTagSize);
  key_size_ = gnutls_cipher_get_key_size(cipher);
  context.aead.native_handle = const_cast<char*>(&kCipherMark);  // compared, never written to
  context.hp.native_handle = const_cast<char*>(&kCipherMark);
  ngtcp2_conn_set_crypto_ctx(connection, &context);
}

std::optional<DirectionKeys> PacketKeys::derive(ngtcp2_conn* connection, Octets secret) {
  DirectionKeys keys;
  const bool derived = expand(keys.iv, hash_of(connection), secret, "quic iv") &&
                       add_packet_key(connection, secret, keys.packet) &&
                       add_header_key(connection, secret, keys.header);
  return derived ? std::optional(keys) : std::nullopt;
}

int PacketKeys::install_receiving(ngtcp2_conn* connection, gnutls_record_encryption_level_t level,
                                  Octets secret) {
  const auto keys = derive(connection, secret);
  if (!keys) return NGTCP2_ERR_CALLBACK_FAILURE;
  const auto& [iv, packet, header] = *keys;
  if (level == GNUTLS_ENCRYPTION_LEVEL_HANDSHAKE) {
    return ngtcp2_conn_install_rx_handshake_key(connection, &packet, iv.data(), iv.size(), &header);
  }
  return ngtcp2_conn_install_rx_key(connection, secret.data(), secret.size(), &packet, iv.data(),
                                    iv.size(), &header);
}

int PacketKeys::install_sending(ngtcp2_conn* connection, gnutls_record_encryption_level_t level,
                                Octets secret) {
  const auto keys = derive(connection, secret);
  if (!keys) return NGTCP2_ERR_CALLBACK_FAILURE;
  const auto& [iv, packet, header] = *keys;
  if (level == GNUTLS_ENCRYPTION_LEVEL_HANDSHAKE) {
    return ngtcp2_conn_install_tx_handshake_key(connection, &packet, iv.data(), iv.size(), &header);
  }
  return ngtcp2_conn_install_tx_key(connection, secret.data(), secret.size(), &packet, iv.data(),
                                    iv.size(), &header);
}

int PacketKeys::update(ngtcp2_conn* connection, const NextKey& receiving, const NextKey& sending,
                       const TrafficSecrets& current) {
  ORZATTY_ASSERT(current.receiving.size() == current.sending.size());
  if (!by_ipsec_mb()) {
    return ngtcp2_crypto_update_key_cb(connection, receiving.secret, sending.secret, receiving.key,
                                       receiving.iv, sending.key, sending.iv,
                                       current.receiving.data(), current.sending.data(),
                                       current.receiving.size(), nullptr);
  }
  const bool derived = derive_next(connection, receiving, current.receiving) &&
                       derive_next(connection, sending, current.sending);
  return derived ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

// RFC 9001, section 6.1. The key for headers stays.
bool PacketKeys::derive_next(ngtcp2_conn* connection, const NextKey& next, Octets current) {
  const std::span secret(next.secret, current.size());
  return expand(secret, hash_of(connection), current, "quic ku") &&
         expand(std::span(next.iv, ipsec_mb::kNonceSize), hash_of(connection), secret, "quic iv") &&
         add_packet_key(connection, secret, *next.key);
}

bool PacketKeys::add_packet_key(ngtcp2_conn* connection, Octets secret,
                                ngtcp2_crypto_aead_ctx& key) {
  auto made = make_key<PacketKey>(key_size_, connection, secret, "quic key");
  if (!made) return false;
  key.native_handle = packet_keys_.emplace_back(std::move(made)).get();
  return true;
}

bool PacketKeys::add_header_key(ngtcp2_conn* connection, Octets secret,
                                ngtcp2_crypto_cipher_ctx& key) {
  auto made = make_key<ipsec_mb::BlockKey>(key_size_, connection, secret, "quic hp");
  if (!made) return false;
  key.native_handle = header_keys_.emplace_back(std::move(made)).get();
  return true;
}

// The keys of Initial packets and of Retry are GnuTLS's always.
void PacketKeys::drop(ngtcp2_conn* connection, ngtcp2_crypto_aead_ctx* key) {
  if (remove(packet_keys_, key->native_handle)) return;
  ngtcp2_crypto_delete_crypto_aead_ctx_cb(connection, key, nullptr);
}

void PacketKeys::drop(ngtcp2_conn* connection, ngtcp2_crypto_cipher_ctx* key) {
  if (remove(header_keys_, key->native_handle)) return;
  ngtcp2_crypto_delete_crypto_cipher_ctx_cb(connection, key, nullptr);
}

}  // namespace orzatty::quic
