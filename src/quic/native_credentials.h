// What credentials are made of: GnuTLS's objects. Seen by this layer alone.
#pragma once

#include <gnutls/gnutls.h>

#include <utility>

#include "quic/credentials.h"

namespace orzatty::quic {

class NativeCredentials {
 public:
  NativeCredentials();
  ~NativeCredentials();
  NativeCredentials(const NativeCredentials&) = delete;
  NativeCredentials& operator=(const NativeCredentials&) = delete;

  [[nodiscard]] gnutls_certificate_credentials_t certificates() const { return certificates_; }
  [[nodiscard]] gnutls_priority_t priority() const { return priority_; }

 private:
  gnutls_certificate_credentials_t certificates_ = nullptr;
  gnutls_priority_t priority_ = nullptr;
};

struct ServerCredentials::Native : NativeCredentials {};
struct ClientCredentials::Native : NativeCredentials {};

}  // namespace orzatty::quic
