#include "quic/credentials.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/assert.h"
#include "orzatty/bytes.h"
#include "quic/native_credentials.h"

namespace orzatty::quic {
namespace {

// spec: TRANSPORT-2
// TLS 1.3 alone, with ciphers that are fast or safe without AES instructions, and no RSA: a
// server's RSA signature costs eight times an ECDSA one. Compatibility mode means nothing over
// QUIC.
constexpr const char* kPriority =
    "NONE:+VERS-TLS1.3:+AEAD:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+GROUP-X25519:"
    "+GROUP-SECP256R1:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-EDDSA-ED25519:+CTYPE-X509:"
    "%DISABLE_TLS13_COMPAT_MODE";

gnutls_datum_t datum_of(std::string_view text) {
  // GnuTLS takes what it only reads as non-const.
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
          static_cast<unsigned int>(text.size())};
}

std::unexpected<Error> refused(std::string text) {
  return std::unexpected(Error{ErrorKind::kArgument, ErrorCode::kNone, std::move(text)});
}

bool usable_key(std::string_view algorithm) {
  return algorithm == "ECDSA P-256" || algorithm == "Ed25519";
}

}  // namespace

NativeCredentials::NativeCredentials() {
  // Both fail only without memory, or with a priority text that a test would have caught.
  ORZATTY_ASSERT(gnutls_certificate_allocate_credentials(&certificates_) == 0);
  ORZATTY_ASSERT(gnutls_priority_init(&priority_, kPriority, nullptr) == 0);
}

NativeCredentials::~NativeCredentials() {
  gnutls_certificate_free_credentials(certificates_);
  gnutls_priority_deinit(priority_);
}

ServerCredentials::ServerCredentials(std::unique_ptr<Native> native) : native_(std::move(native)) {}
ServerCredentials::~ServerCredentials() = default;

std::expected<std::shared_ptr<const ServerCredentials>, Error> ServerCredentials::from_pem(
    std::string_view certificate_chain, std::string_view private_key) {
  const auto facts = read_certificate(certificate_chain);
  if (!facts) return std::unexpected(facts.error());
  if (!usable_key(facts->key_algorithm)) {
    return refused("the certificate's key is " + facts->key_algorithm +
                   "; use ECDSA P-256 or Ed25519, whose handshakes cost an eighth");
  }
  auto native = std::make_unique<Native>();
  const gnutls_datum_t chain = datum_of(certificate_chain);
  const gnutls_datum_t key = datum_of(private_key);
  const int error = gnutls_certificate_set_x509_key_mem(native->certificates(), &chain, &key,
                                                        GNUTLS_X509_FMT_PEM);
  if (error == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) {
    return refused("the private key does not belong to the certificate");
  }
  if (error < 0) {
    return refused(std::string("the private key cannot be used: ") + gnutls_strerror(error));
  }
  return std::shared_ptr<const ServerCredentials>(new ServerCredentials(std::move(native)));
}

ClientCredentials::ClientCredentials(std::unique_ptr<Native> native, Trust trust)
    : native_(std::move(native)), trust_(std::move(trust)) {}
ClientCredentials::~ClientCredentials() = default;

std::expected<std::shared_ptr<const ClientCredentials>, Error> ClientCredentials::make(
    const Trust& trust) {
  auto native = std::make_unique<Native>();
  if (trust.kind == Trust::Kind::kSystem &&
      gnutls_certificate_set_x509_system_trust(native->certificates()) <= 0) {
    return refused(
        "this system has no certificate authorities installed; name a file of them, "
        "or pin the server's certificate");
  }
  if (trust.kind == Trust::Kind::kAuthorities) {
    const gnutls_datum_t authorities = datum_of(trust.authorities_pem);
    const int count = gnutls_certificate_set_x509_trust_mem(native->certificates(), &authorities,
                                                            GNUTLS_X509_FMT_PEM);
    if (count <= 0) return refused("the authorities hold no certificate in PEM form");
  }
  if (trust.kind == Trust::Kind::kPin && trust.pins.empty()) {
    return refused("trust by pin needs at least one pin");
  }
  return std::shared_ptr<const ClientCredentials>(new ClientCredentials(std::move(native), trust));
}

}  // namespace orzatty::quic
