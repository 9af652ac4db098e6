// Which library encrypts packets: the fastest that this machine has, or GnuTLS if the environment
// says ORZATTY_PACKET_PROTECTION=gnutls, to compare the two or to leave one of them out. Whatever else
// it says than `fastest` means GnuTLS too: who wants to leave one out must not fail by a typing error.
#pragma once

#include "quic/connection.h"

namespace orzatty::runtime {

[[nodiscard]] quic::PacketProtection packet_protection();

}  // namespace orzatty::runtime
