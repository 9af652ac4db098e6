// Certificates, keys and whom to trust, as bytes: files are read elsewhere. Immutable once made, so
// one object serves any number of connections and threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orzatty/error.h"

namespace orzatty::quic {

using Fingerprint = std::array<std::byte, 32>;  // SHA-256 of a certificate's DER

class ServerCredentials {
 public:
  // ECDSA P-256 or Ed25519 only; RSA is refused with the reason (2.5 ms of CPU per handshake).
  static std::expected<std::shared_ptr<const ServerCredentials>, Error> from_pem(
      std::string_view certificate_chain, std::string_view private_key);
  ~ServerCredentials();
  struct Native;
  [[nodiscard]] const Native& native() const { return *native_; }

 private:
  explicit ServerCredentials(std::unique_ptr<Native> native);
  std::unique_ptr<Native> native_;
};

struct Trust {
  enum class Kind : std::uint8_t { kSystem, kAuthorities, kPin, kAnyone };
  Kind kind = Kind::kSystem;
  std::string authorities_pem;        // kAuthorities
  std::vector<Fingerprint> pins;      // kPin: any one of them; names and dates are not looked at
};

class ClientCredentials {
 public:
  static std::expected<std::shared_ptr<const ClientCredentials>, Error> make(const Trust& trust);
  ~ClientCredentials();
  struct Native;
  [[nodiscard]] const Native& native() const { return *native_; }
  [[nodiscard]] const Trust& trust() const { return trust_; }

 private:
  ClientCredentials(std::unique_ptr<Native> native, Trust trust);
  std::unique_ptr<Native> native_;
  Trust trust_;
};

// A self-signed ECDSA P-256 certificate, valid from an hour before `unix_time`.
struct SelfSigned {
  std::string certificate_pem;
  std::string private_key_pem;
};
struct SelfSignedOptions {
  std::vector<std::string> dns_names = {"localhost"};
  std::vector<std::string> ip_addresses = {"127.0.0.1", "::1"};
  int days = 14;  // the most that browsers accept for a pinned certificate
  std::int64_t unix_time = 0;
};
std::expected<SelfSigned, Error> make_self_signed(const SelfSignedOptions& options);

struct CertificateFacts {
  std::string subject;
  std::vector<std::string> names;
  std::string key_algorithm;      // "ECDSA P-256", "Ed25519", "RSA"
  std::int64_t not_before = 0;    // Unix seconds
  std::int64_t not_after = 0;
  Fingerprint fingerprint{};
};
std::expected<CertificateFacts, Error> read_certificate(std::string_view pem);
std::string hex(const Fingerprint& fingerprint);                        // lower case, no colons
std::optional<Fingerprint> parse_fingerprint(std::string_view text);    // colons allowed

}  // namespace orzatty::quic
