// What ngtcp2, TLS alerts and close frames say, as Closed.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "quic/connection.h"

namespace orzatty::quic {

// The peer's CONNECTION_CLOSE.
Closed closed_by_peer(const ngtcp2_ccerr& error);
// TLS failed here with `alert`.
Closed closed_by_alert(std::uint8_t alert, std::string_view text);
// A call of ngtcp2 failed with `error`.
Closed closed_by_library(int error);

}  // namespace orzatty::quic
