#include "runtime/tls.h"

#include "net/clock.h"
#include "net/file.h"

namespace orzatty {

namespace {

constexpr std::size_t kPemSizeMax = 1024 * 1024;  // a chain of certificates is a few KiB

}  // namespace

std::expected<Certificate, Error> Certificate::load(const std::string& chain_path,
                                                    const std::string& key_path) {
  auto chain = net::read_file(chain_path, kPemSizeMax);
  if (!chain) return std::unexpected(chain.error());
  auto key = net::read_file(key_path, kPemSizeMax);
  if (!key) return std::unexpected(key.error());
  return Certificate{std::string(text_of(*chain)), std::string(text_of(*key))};
}

std::expected<Certificate, Error> Certificate::self_signed() {
  quic::SelfSignedOptions options;
  options.unix_time = net::unix_seconds();
  auto made = quic::make_self_signed(options);
  if (!made) return std::unexpected(made.error());
  return Certificate{std::move(made->certificate_pem), std::move(made->private_key_pem)};
}

std::expected<std::string, Error> Certificate::pin() const {
  const auto facts = quic::read_certificate(chain_pem);
  if (!facts) return std::unexpected(facts.error());
  return quic::hex(facts->fingerprint);
}

namespace runtime {

// spec: TRANSPORT-3
std::expected<std::shared_ptr<const quic::ClientCredentials>, Error> client_credentials(
    const Trust& trust) {
  quic::Trust native;
  switch (trust.kind) {
    case Trust::Kind::kSystem: native.kind = quic::Trust::Kind::kSystem; break;
    case Trust::Kind::kAnyone: native.kind = quic::Trust::Kind::kAnyone; break;
    case Trust::Kind::kAuthorities:
      native.kind = quic::Trust::Kind::kAuthorities;
      native.authorities_pem = trust.authorities_pem;
      break;
    case Trust::Kind::kPin: {
      const auto pin = quic::parse_fingerprint(trust.pin);
      if (!pin) {
        return std::unexpected(Error{ErrorKind::kArgument, ErrorCode::kNone,
                                     "a pin is the SHA-256 of the certificate, 64 hex digits"});
      }
      native.kind = quic::Trust::Kind::kPin;
      native.pins.push_back(*pin);
      break;
    }
  }
  return quic::ClientCredentials::make(native);
}

}  // namespace runtime
}  // namespace orzatty
