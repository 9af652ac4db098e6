// How packets are encrypted: by ipsec-mb where this machine can, else by GnuTLS. The TLS handshake
// is GnuTLS's in any case, and so are the Initial packets, whose keys are no secret, and ChaCha20.
//
// The two differ in speed alone. ngtcp2 knows a packet's cipher and key as two handles; those of
// ipsec-mb are told by the cipher's, so that packets find their way without a look-up.
#pragma once

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "quic/connection.h"
#include "quic/ipsec_mb.h"

namespace orzatty::quic {

// What is used when this is asked for: "ipsec-mb" or "GnuTLS".
[[nodiscard]] std::string_view name_of(PacketProtection wanted);

// ngtcp2's callbacks of these names.
int encrypt_packet(std::uint8_t* out, const ngtcp2_crypto_aead* cipher,
                   const ngtcp2_crypto_aead_ctx* key, const std::uint8_t* plaintext,
                   std::size_t plaintext_size, const std::uint8_t* nonce, std::size_t nonce_size,
                   const std::uint8_t* associated, std::size_t associated_size);
int decrypt_packet(std::uint8_t* out, const ngtcp2_crypto_aead* cipher,
                   const ngtcp2_crypto_aead_ctx* key, const std::uint8_t* sealed,
                   std::size_t sealed_size, const std::uint8_t* nonce, std::size_t nonce_size,
                   const std::uint8_t* associated, std::size_t associated_size);
int mask_header(std::uint8_t* out, const ngtcp2_crypto_cipher* cipher,
                const ngtcp2_crypto_cipher_ctx* key, const std::uint8_t* sample);

// What TLS agreed on for one direction each; empty where there is nothing new.
struct TrafficSecrets {
  std::span<const std::uint8_t> receiving;
  std::span<const std::uint8_t> sending;
};

// Where update() puts what comes next for one direction; as long as ngtcp2 asks for.
struct NextKey {
  std::uint8_t* secret;
  std::uint8_t* iv;
  ngtcp2_crypto_aead_ctx* key;
};

// Made of one secret, for ngtcp2, which does not own them.
struct DirectionKeys {
  std::array<std::uint8_t, ipsec_mb::kNonceSize> iv{};
  ngtcp2_crypto_aead_ctx packet{};
  ngtcp2_crypto_cipher_ctx header{};
};

// A key for packets, expanded when the first of them needs it: the next ones, which ngtcp2 wants to have
// ahead of an update, would be a KiB for each direction of a connection that may never use them.
class PacketKey {
 public:
  explicit PacketKey(std::span<const std::uint8_t> key);  // 16 or 32 bytes
  ~PacketKey() { wipe(); }
  PacketKey(const PacketKey&) = delete;
  PacketKey& operator=(const PacketKey&) = delete;

  [[nodiscard]] const ipsec_mb::GcmKey& expanded() {
    if (expanded_ == nullptr) [[unlikely]] expand();
    return *expanded_;
  }
  [[nodiscard]] bool is_expanded() const { return expanded_ != nullptr; }

 private:
  void expand();
  void wipe();

  std::unique_ptr<ipsec_mb::GcmKey> expanded_;
  std::size_t size_;
  std::array<std::uint8_t, 32> bytes_{};  // until it is
};

// The keys of one connection that ipsec-mb uses. Must outlive ngtcp2's connection, which names
// them.
class PacketKeys {
 public:
  explicit PacketKeys(PacketProtection wanted) : wanted_(wanted) {}

  // Of TLS: for packets of the handshake, then for those after it. Errors are ngtcp2's.
  [[nodiscard]] int install(ngtcp2_conn* connection, gnutls_session_t session,
                            gnutls_record_encryption_level_t level, const TrafficSecrets& secrets);
  // Of ngtcp2: the keys after `current`.
  [[nodiscard]] int update(ngtcp2_conn* connection, const NextKey& receiving,
                           const NextKey& sending, const TrafficSecrets& current);
  // Of ngtcp2: no packet needs it any more.
  void drop(ngtcp2_conn* connection, ngtcp2_crypto_aead_ctx* key);
  void drop(ngtcp2_conn* connection, ngtcp2_crypto_cipher_ctx* key);

  // Known once TLS has agreed on a cipher.
  [[nodiscard]] bool by_ipsec_mb() const { return key_size_ > 0; }
  [[nodiscard]] std::size_t count() const { return packet_keys_.size() + header_keys_.size(); }

 private:
  void choose(ngtcp2_conn* connection, gnutls_session_t session);
  [[nodiscard]] std::optional<DirectionKeys> derive(ngtcp2_conn* connection,
                                                    std::span<const std::uint8_t> secret);
  [[nodiscard]] int install_receiving(ngtcp2_conn* connection,
                                      gnutls_record_encryption_level_t level,
                                      std::span<const std::uint8_t> secret);
  [[nodiscard]] int install_sending(ngtcp2_conn* connection, gnutls_record_encryption_level_t level,
                                    std::span<const std::uint8_t> secret);
  [[nodiscard]] bool derive_next(ngtcp2_conn* connection, const NextKey& next,
                                 std::span<const std::uint8_t> current);
  [[nodiscard]] bool add_packet_key(ngtcp2_conn* connection, std::span<const std::uint8_t> secret,
                                    ngtcp2_crypto_aead_ctx& key);
  [[nodiscard]] bool add_header_key(ngtcp2_conn* connection, std::span<const std::uint8_t> secret,
                                    ngtcp2_crypto_cipher_ctx& key);

  PacketProtection wanted_;
  std::size_t key_size_ = 0;  // none: GnuTLS
  // A handful at most: of the handshake, in use, and before and after a key update.
  std::vector<std::unique_ptr<PacketKey>> packet_keys_;
  std::vector<std::unique_ptr<ipsec_mb::BlockKey>> header_keys_;
};

}  // namespace orzatty::quic
