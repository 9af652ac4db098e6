// What an application states about certificates, as quic wants it.
#pragma once

#include <expected>
#include <memory>

#include "orzatty/tls.h"
#include "quic/credentials.h"

namespace orzatty::runtime {

std::expected<std::shared_ptr<const quic::ClientCredentials>, Error> client_credentials(
    const Trust& trust);

}  // namespace orzatty::runtime
