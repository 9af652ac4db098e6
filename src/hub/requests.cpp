#include "hub/requests.h"

namespace orzatty::hub {

// spec: REQUEST-3
ErrorCode Requests::add(const Request& request, Instant now) {
  end_overdue(now);
  if (requests_.contains(request.id)) return ErrorCode::kNotAuthorised;
  if (requests_.size() >= limits_.hub_request_count_max) return ErrorCode::kOverloaded;
  std::set<CorrelationId>& own = by_session_[request.requester];
  if (own.size() >= limits_.request_count_max) return ErrorCode::kLimitExceeded;
  own.insert(request.id);
  ends_.emplace(request.until, request.id);
  requests_.emplace(request.id, request);
  return ErrorCode::kNone;
}

const Request* Requests::find(const CorrelationId& id, Instant now) {
  end_overdue(now);
  const auto found = requests_.find(id);
  return found == requests_.end() ? nullptr : &found->second;
}

void Requests::erase(const CorrelationId& id) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return;
  const auto own = by_session_.find(found->second.requester);
  own->second.erase(id);
  if (own->second.empty()) by_session_.erase(own);
  ends_.erase({found->second.until, id});
  requests_.erase(found);
}

// spec: REQUEST-7
void Requests::cancel(const SessionId& session, const CorrelationId& id) {
  const auto found = requests_.find(id);
  if (found != requests_.end() && found->second.requester == session) erase(id);
}

void Requests::forget(const SessionId& session) {
  const auto own = by_session_.find(session);
  if (own == by_session_.end()) return;
  for (const CorrelationId& id : own->second) {
    const auto found = requests_.find(id);
    ends_.erase({found->second.until, id});
    requests_.erase(found);
  }
  by_session_.erase(own);
}

void Requests::end_overdue(Instant now) {
  while (!ends_.empty() && ends_.begin()->first <= now) {
    const CorrelationId id = ends_.begin()->second;
    erase(id);
  }
}

}  // namespace orzatty::hub
