#include "runtime/packet_protection.h"

#include <cstdlib>
#include <string_view>

namespace orzatty::runtime {

quic::PacketProtection packet_protection() {
  const char* value = std::getenv("ORZATTY_PACKET_PROTECTION");
  const bool gnutls = value != nullptr && std::string_view(value) == "gnutls";
  return gnutls ? quic::PacketProtection::kGnutls : quic::PacketProtection::kFastest;
}

}  // namespace orzatty::runtime
