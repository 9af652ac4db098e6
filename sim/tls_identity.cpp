#include "sim/tls_identity.h"

#include "sim/entropy.h"

namespace orzatty::sim {

namespace {

struct Identity {
  std::shared_ptr<const quic::ServerCredentials> server;
  std::shared_ptr<const quic::ClientCredentials> client;
};

Identity make_identity() {
  seed_entropy(0);
  const auto made =
      quic::make_self_signed({.dns_names = {"localhost"}, .unix_time = 1'800'000'000});
  const auto facts = quic::read_certificate(made->certificate_pem);
  return {
      *quic::ServerCredentials::from_pem(made->certificate_pem, made->private_key_pem),
      *quic::ClientCredentials::make(
          {.kind = quic::Trust::Kind::kPin, .authorities_pem = {}, .pins = {facts->fingerprint}})};
}

const Identity& identity() {
  static const Identity made = make_identity();
  return made;
}

}  // namespace

std::shared_ptr<const quic::ServerCredentials> server_credentials() { return identity().server; }
std::shared_ptr<const quic::ClientCredentials> client_credentials() { return identity().client; }

}  // namespace orzatty::sim
