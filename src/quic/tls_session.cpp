#include "quic/tls_session.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <algorithm>
#include <span>

#include "base/address.h"
#include "base/assert.h"
#include "quic/native_credentials.h"

namespace orzatty::quic {
namespace {

// No tickets, so no resumption and no early data: what a replayed first flight could do is nothing.
constexpr unsigned int kFlags = GNUTLS_NO_TICKETS | GNUTLS_NO_AUTO_SEND_TICKET;

bool is_ip_address(const std::string& name) {
  return base::Address::parse(name + ":0") || base::Address::parse("[" + name + "]:0");
}

std::span<const gnutls_datum_t> peer_certificates(gnutls_session_t session) {
  unsigned int count = 0;
  const gnutls_datum_t* chain = gnutls_certificate_get_peers(session, &count);
  return {chain, chain == nullptr ? 0U : count};
}

bool self_signed(const gnutls_datum_t& der) {
  gnutls_x509_crt_t certificate = nullptr;
  ORZATTY_ASSERT(gnutls_x509_crt_init(&certificate) == 0);
  const bool result = gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) == 0 &&
                      gnutls_x509_crt_check_issuer(certificate, certificate) != 0;
  gnutls_x509_crt_deinit(certificate);
  return result;
}

Refusal refusal_of(unsigned int status, const gnutls_datum_t& leaf, const std::string& name) {
  // One of these also when a known authority has the same name as an unknown one.
  constexpr unsigned int kSigner =
      GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA | GNUTLS_CERT_SIGNATURE_FAILURE;
  if ((status & kSigner) != 0) {
    if (self_signed(leaf)) {
      return {GNUTLS_A_UNKNOWN_CA, "the server's certificate is self-signed and not known here"};
    }
    return {GNUTLS_A_UNKNOWN_CA, "the server's certificate comes from an unknown authority"};
  }
  if ((status & GNUTLS_CERT_REVOKED) != 0) {
    return {GNUTLS_A_CERTIFICATE_REVOKED, "the server's certificate is revoked"};
  }
  if ((status & GNUTLS_CERT_EXPIRED) != 0) {
    return {GNUTLS_A_CERTIFICATE_EXPIRED, "the server's certificate is expired"};
  }
  if ((status & GNUTLS_CERT_NOT_ACTIVATED) != 0) {
    return {GNUTLS_A_CERTIFICATE_UNKNOWN, "the server's certificate is not valid yet"};
  }
  if ((status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0) {
    return {GNUTLS_A_BAD_CERTIFICATE, "the server's certificate: name does not match " + name};
  }
  return {GNUTLS_A_BAD_CERTIFICATE, "the server's certificate cannot be verified"};
}

}  // namespace

TlsSession::TlsSession(std::shared_ptr<const ServerCredentials> credentials,
                       const std::string& protocol)
    : server_credentials_(std::move(credentials)) {
  ORZATTY_ASSERT(gnutls_init(&session_, GNUTLS_SERVER | kFlags) == 0);
  set_up(server_credentials_->native().certificates(), server_credentials_->native().priority(),
         protocol);
  ORZATTY_ASSERT(ngtcp2_crypto_gnutls_configure_server_session(session_) == 0);
  gnutls_handshake_set_post_client_hello_function(session_, on_client_hello);
}

TlsSession::TlsSession(std::shared_ptr<const ClientCredentials> credentials,
                       const std::string& protocol, const std::string& server_name)
    : client_credentials_(std::move(credentials)), server_name_(server_name) {
  ORZATTY_ASSERT(gnutls_init(&session_, GNUTLS_CLIENT | kFlags) == 0);
  set_up(client_credentials_->native().certificates(), client_credentials_->native().priority(),
         protocol);
  ORZATTY_ASSERT(ngtcp2_crypto_gnutls_configure_client_session(session_) == 0);
  gnutls_session_set_verify_function(session_, on_certificate);
  // RFC 6066, section 3: literal addresses are not permitted as server names.
  if (!server_name_.empty() && !is_ip_address(server_name_)) {
    gnutls_server_name_set(session_, GNUTLS_NAME_DNS, server_name_.data(), server_name_.size());
  }
}

TlsSession::~TlsSession() { gnutls_deinit(session_); }

void TlsSession::set_up(gnutls_certificate_credentials_t certificates, gnutls_priority_t priority,
                        const std::string& protocol) {
  ORZATTY_ASSERT(gnutls_priority_set(session_, priority) == 0);
  ORZATTY_ASSERT(gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, certificates) == 0);
  if (!protocol.empty()) set_protocol(protocol);
  reference_.get_conn = [](ngtcp2_crypto_conn_ref* reference) {
    return static_cast<TlsSession*>(reference->user_data)->connection_;
  };
  reference_.user_data = this;
  gnutls_session_set_ptr(session_, &reference_);
}

void TlsSession::set_protocol(const std::string& protocol) {
  protocol_wanted_ = true;
  std::string name = protocol;
  const gnutls_datum_t datum{reinterpret_cast<unsigned char*>(name.data()),
                             static_cast<unsigned int>(name.size())};
  ORZATTY_ASSERT(gnutls_alpn_set_protocols(session_, &datum, 1, GNUTLS_ALPN_MANDATORY) == 0);
}

void TlsSession::attach(ngtcp2_conn* connection, PacketKeys& keys) {
  connection_ = connection;
  keys_ = &keys;
  gnutls_handshake_set_secret_function(session_, on_secrets);
  ngtcp2_conn_set_tls_native_handle(connection, session_);
}

TlsSession& TlsSession::of(gnutls_session_t session) {
  auto* reference = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
  return *static_cast<TlsSession*>(reference->user_data);
}

bool TlsSession::protocol_agreed() const {
  if (!protocol_wanted_) return true;
  gnutls_datum_t selected{};
  return gnutls_alpn_get_selected_protocol(session_, &selected) == 0;
}

// spec: TRANSPORT-1
// GnuTLS refuses a wrong protocol by itself, but lets a peer pass that offers none at all.
int TlsSession::on_client_hello(gnutls_session_t session) {
  return of(session).protocol_agreed() ? 0 : GNUTLS_E_NO_APPLICATION_PROTOCOL;
}

int TlsSession::on_secrets(gnutls_session_t session, gnutls_record_encryption_level_t level,
                           const void* receiving, const void* sending, std::size_t size) {
  const auto secret = [size](const void* bytes) {
    return std::span(static_cast<const std::uint8_t*>(bytes), bytes == nullptr ? 0U : size);
  };
  const TlsSession& self = of(session);
  const TrafficSecrets secrets{secret(receiving), secret(sending)};
  return self.keys_->install(self.connection_, session, level, secrets) == 0 ? 0 : -1;
}

int TlsSession::on_certificate(gnutls_session_t session) {
  TlsSession& self = of(session);
  self.refusal_ = self.judge_server();
  return self.refusal_ ? GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR : 0;
}

std::optional<Refusal> TlsSession::judge_server() const {
  if (!protocol_agreed()) {
    return Refusal{GNUTLS_A_NO_APPLICATION_PROTOCOL, "the server chose no application protocol"};
  }
  switch (client_credentials_->trust().kind) {
    case Trust::Kind::kAnyone:
      return {};
    case Trust::Kind::kPin:
      return judge_by_pin();
    case Trust::Kind::kSystem:
    case Trust::Kind::kAuthorities:
      return judge_by_authorities();
  }
  ORZATTY_UNREACHABLE();
}

std::optional<Refusal> TlsSession::judge_by_pin() const {
  const auto chain = peer_certificates(session_);
  if (!chain.empty()) {
    Fingerprint fingerprint{};
    ORZATTY_ASSERT(
        gnutls_hash_fast(GNUTLS_DIG_SHA256, chain[0].data, chain[0].size, fingerprint.data()) == 0);
    const auto& pins = client_credentials_->trust().pins;
    if (std::ranges::find(pins, fingerprint) != pins.end()) return {};
  }
  return Refusal{GNUTLS_A_BAD_CERTIFICATE, "the server's certificate: pin does not match"};
}

std::optional<Refusal> TlsSession::judge_by_authorities() const {
  unsigned int status = 0;
  const auto chain = peer_certificates(session_);
  if (chain.empty()) return Refusal{GNUTLS_A_BAD_CERTIFICATE, "the server has no certificate"};
  // Looks for a literal address among the certificate's IP addresses.
  const int error = gnutls_certificate_verify_peers3(session_, server_name_.c_str(), &status);
  if (error < 0) return Refusal{GNUTLS_A_BAD_CERTIFICATE, gnutls_strerror(error)};
  if (status == 0) return {};
  return refusal_of(status, chain[0], server_name_);
}

}  // namespace orzatty::quic
