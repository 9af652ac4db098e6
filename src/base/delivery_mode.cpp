#include "orzatty/channel.h"

namespace orzatty {

std::string_view name(DeliveryMode mode) {
  switch (mode) {
    case DeliveryMode::kReliable: return "reliable";
    case DeliveryMode::kUnordered: return "unordered";
    case DeliveryMode::kDatagram: return "datagram";
    case DeliveryMode::kLatest: return "latest";
  }
  return "unknown";
}

}  // namespace orzatty
