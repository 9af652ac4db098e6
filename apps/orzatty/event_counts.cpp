#include "event_counts.h"

namespace orzatty::apps {

void EventCounts::count(const ServerEvent& event) {
  const std::lock_guard lock(mutex_);
  switch (event.kind) {
    case ServerEvent::Kind::kPeerJoined:
      ++events_.joined;
      break;
    case ServerEvent::Kind::kPeerDetached:
      ++events_.detached;
      break;
    case ServerEvent::Kind::kPeerResumed:
      ++events_.resumed;
      break;
    case ServerEvent::Kind::kPeerLeft:
      ++events_.left[event.text];
      break;
    case ServerEvent::Kind::kPeerRefused:
      ++events_.refused;
      break;
    case ServerEvent::Kind::kSubscriberSlow:
      ++events_.slow;
      break;
    case ServerEvent::Kind::kPublishRejected:
    case ServerEvent::Kind::kPeerLeftBehind:
      break;  // of programs that publish by themselves, and of the very end
  }
}

Events EventCounts::counted() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

}  // namespace orzatty::apps
