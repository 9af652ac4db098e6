// Certificates and trust, as an application states them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orzatty/error.h"

namespace orzatty {

// A server's certificate chain and private key, PEM. ECDSA P-256 or Ed25519.
struct Certificate {
  std::string chain_pem;
  std::string key_pem;

  static std::expected<Certificate, Error> load(const std::string& chain_path,
                                                const std::string& key_path);
  // For localhost, 127.0.0.1 and ::1, valid for 14 days. Clients trust it by its pin.
  static std::expected<Certificate, Error> self_signed();
  // SHA-256 of the first certificate's DER, in hex: what a client may pin.
  [[nodiscard]] std::expected<std::string, Error> pin() const;
};

// Whom a client believes to be the server.
struct Trust {
  enum class Kind : std::uint8_t { kSystem, kAuthorities, kPin, kAnyone };
  Kind kind = Kind::kSystem;
  std::string authorities_pem;
  std::string pin;

  static Trust system() { return {}; }
  static Trust authorities(std::string pem) { return {Kind::kAuthorities, std::move(pem), {}}; }
  static Trust pinned(std::string pin) { return {Kind::kPin, {}, std::move(pin)}; }
  // No protection against whoever stands between. Only for tests on one machine.
  static Trust anyone_insecurely() { return {Kind::kAnyone, {}, {}}; }
};

}  // namespace orzatty
