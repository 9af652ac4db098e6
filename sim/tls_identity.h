// The certificate of all simulated servers, and who trusts it: the same in every process.
#pragma once

#include <memory>

#include "quic/credentials.h"

namespace orzatty::sim {

std::shared_ptr<const quic::ServerCredentials> server_credentials();
// By its pin, which looks at no dates.
std::shared_ptr<const quic::ClientCredentials> client_credentials();

}  // namespace orzatty::sim
