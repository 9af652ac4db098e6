#include "quic/error_translation.h"

#include <gnutls/gnutls.h>

#include "orzatty/bytes.h"

namespace orzatty::quic {
namespace {

constexpr std::uint64_t kAlertMax = 0xff;

// RFC 9001, section 4.8: a TLS alert is the QUIC error 0x100 + alert.
bool is_alert(std::uint64_t code) {
  return code >= NGTCP2_CRYPTO_ERROR && code <= NGTCP2_CRYPTO_ERROR + kAlertMax;
}

CloseOrigin origin_of(std::uint64_t code) {
  if (!is_alert(code)) return CloseOrigin::kTransport;
  switch (code - NGTCP2_CRYPTO_ERROR) {
    case GNUTLS_A_NO_APPLICATION_PROTOCOL:
      return CloseOrigin::kAlpn;
    case GNUTLS_A_BAD_CERTIFICATE:
    case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
    case GNUTLS_A_CERTIFICATE_REVOKED:
    case GNUTLS_A_CERTIFICATE_EXPIRED:
    case GNUTLS_A_CERTIFICATE_UNKNOWN:
    case GNUTLS_A_UNKNOWN_CA:
    case GNUTLS_A_CERTIFICATE_REQUIRED:
      return CloseOrigin::kCertificate;
    default:
      return CloseOrigin::kTransport;
  }
}

std::string alert_text(std::uint8_t alert) {
  const char* name = gnutls_alert_get_name(static_cast<gnutls_alert_description_t>(alert));
  return name != nullptr ? name : "TLS failed";
}

}  // namespace

Closed closed_by_peer(const ngtcp2_ccerr& error) {
  const BytesView reason = std::as_bytes(std::span(error.reason, error.reasonlen));
  std::string text(text_of(reason));
  if (error.type == NGTCP2_CCERR_TYPE_APPLICATION) {
    return {CloseOrigin::kPeer, error.error_code, std::move(text)};
  }
  if (text.empty() && is_alert(error.error_code)) {
    text = alert_text(static_cast<std::uint8_t>(error.error_code - NGTCP2_CRYPTO_ERROR));
  }
  return {origin_of(error.error_code), error.error_code, std::move(text)};
}

Closed closed_by_alert(std::uint8_t alert, std::string_view text) {
  const std::uint64_t code = NGTCP2_CRYPTO_ERROR + alert;
  return {origin_of(code), code, text.empty() ? alert_text(alert) : std::string(text)};
}

Closed closed_by_library(int error) {
  return {CloseOrigin::kTransport, ngtcp2_err_infer_quic_transport_error_code(error),
          ngtcp2_strerror(error)};
}

}  // namespace orzatty::quic
