// One TLS 1.3 handshake, client's or server's: ALPN, and at the client the server's certificate,
// which is judged within the handshake, so that nothing is sent to whoever is refused.
//
// Stays where it is: GnuTLS and ngtcp2 hold pointers to it. Not needed after the handshake.
#pragma once

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "quic/credentials.h"
#include "quic/packet_protection.h"

namespace orzatty::quic {

// Why the handshake was refused here, more exactly than TLS's alert says it.
struct Refusal {
  std::uint8_t alert = 0;
  std::string text;
};

class TlsSession {
 public:
  TlsSession(std::shared_ptr<const ServerCredentials> credentials, const std::string& protocol);
  TlsSession(std::shared_ptr<const ClientCredentials> credentials, const std::string& protocol,
             const std::string& server_name);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // To be called once, before the first packet. What is agreed on goes to `keys`.
  void attach(ngtcp2_conn* connection, PacketKeys& keys);
  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  void set_up(gnutls_certificate_credentials_t certificates, gnutls_priority_t priority,
              const std::string& protocol);
  void set_protocol(const std::string& protocol);
  static TlsSession& of(gnutls_session_t session);
  static int on_client_hello(gnutls_session_t session);
  static int on_secrets(gnutls_session_t session, gnutls_record_encryption_level_t level,
                        const void* receiving, const void* sending, std::size_t size);
  static int on_certificate(gnutls_session_t session);
  [[nodiscard]] bool protocol_agreed() const;
  [[nodiscard]] std::optional<Refusal> judge_server() const;
  [[nodiscard]] std::optional<Refusal> judge_by_pin() const;
  [[nodiscard]] std::optional<Refusal> judge_by_authorities() const;

  std::shared_ptr<const ServerCredentials> server_credentials_;
  std::shared_ptr<const ClientCredentials> client_credentials_;
  std::string server_name_;
  bool protocol_wanted_ = false;
  gnutls_session_t session_ = nullptr;
  ngtcp2_conn* connection_ = nullptr;
  PacketKeys* keys_ = nullptr;
  ngtcp2_crypto_conn_ref reference_{};
  std::optional<Refusal> refusal_;
};

}  // namespace orzatty::quic
