#include "runtime/packet_protection.h"

#include <cstdlib>
#include <string_view>

namespace orzatty::runtime {

quic::PacketProtection packet_protection() {
  const char* value = std::getenv("ORZATTY_PACKET_PROTECTION");
  const bool fastest = value == nullptr || std::string_view(value) == "fastest";
  return fastest ? quic::PacketProtection::kFastest : quic::PacketProtection::kGnutls;
}

}  // namespace orzatty::runtime
