#include "hub/asking.h"

namespace orzatty::hub {

Asking asking_of(BytesView frames) {
  Asking asking = Asking::kNothing;
  for (const wire::MessageView& message : wire::MessageRange(frames)) {
    if (message.attributes.empty()) continue;
    const auto attributes = wire::decode_attributes(message.attributes);
    if (!attributes->sender.empty()) return Asking::kForbidden;
    if (!attributes->wants_reply) continue;
    if (!attributes->correlation) return Asking::kForbidden;
    asking = Asking::kReplies;
  }
  return asking;
}

std::optional<CorrelationId> request_id(const wire::MessageView& message) {
  const auto attributes = wire::decode_attributes(message.attributes);
  return attributes->wants_reply ? attributes->correlation : std::nullopt;
}

}  // namespace orzatty::hub
