#include "orzatty/message.h"

namespace orzatty {

std::string_view name(GapReason reason) {
  switch (reason) {
    case GapReason::kRetention: return "retention";
    case GapReason::kSlow: return "slow";
    case GapReason::kSuperseded: return "superseded";
    case GapReason::kExpired: return "expired";
    case GapReason::kRefused: return "refused";
    case GapReason::kLost: return "lost";
  }
  return "unknown";
}

}  // namespace orzatty
