#include "hub/requests.h"

#include "base/planted.h"

namespace orzatty::hub {

// spec: REQUEST-3
ErrorCode Requests::add(const Request& request, std::string_view identity, Instant now) {
  end_overdue(now);
  if (requests_.contains(request.id)) return ErrorCode::kNotAuthorised;
  if (requests_.size() >= limits_.hub_request_count_max) return ErrorCode::kOverloaded;
  const auto known = by_session_.find(request.requester);
  const std::size_t own = known == by_session_.end() ? 0 : known->second.ids.size();
  if (own >= limits_.request_count_max || !has_share(identity)) return ErrorCode::kLimitExceeded;
  OfSession& session = by_session_[request.requester];
  session.identity = identity;
  session.ids.insert(request.id);
  ++by_identity_[session.identity];
  ends_.emplace(request.until, request.id);
  requests_.emplace(request.id, request);
  return ErrorCode::kNone;
}

bool Requests::has_share(std::string_view identity) const {
  const auto known = by_identity_.find(identity);
  const std::size_t own = known == by_identity_.end() ? 0 : known->second;
  return own < limits_.hub_request_count_max - requests_.size();
}

const Request* Requests::find(const CorrelationId& id, Instant now) {
  end_overdue(now);
  auto found = requests_.find(id);
  const bool elsewhere = base::planted(base::PlantedBug::kReplyGoesElsewhere);
  if (elsewhere && found != requests_.end()) found = requests_.begin();
  return found == requests_.end() ? nullptr : &found->second;
}

void Requests::erase(const CorrelationId& id) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return;
  const auto session = by_session_.find(found->second.requester);
  leave(session->second, id);
  session->second.ids.erase(id);
  if (session->second.ids.empty()) by_session_.erase(session);
}

void Requests::leave(const OfSession& session, const CorrelationId& id) {
  const auto found = requests_.find(id);
  ends_.erase({found->second.until, id});
  requests_.erase(found);
  const auto identity = by_identity_.find(session.identity);
  if (--identity->second == 0) by_identity_.erase(identity);
}

// spec: REQUEST-7
void Requests::cancel(const SessionId& session, const CorrelationId& id) {
  const auto found = requests_.find(id);
  if (found != requests_.end() && found->second.requester == session) erase(id);
}

void Requests::forget(const SessionId& session) {
  const auto own = by_session_.find(session);
  if (own == by_session_.end()) return;
  for (const CorrelationId& id : own->second.ids) leave(own->second, id);
  by_session_.erase(own);
}

void Requests::end_overdue(Instant now) {
  if (base::planted(base::PlantedBug::kOverdueIsCounted)) return;
  while (!ends_.empty() && ends_.begin()->first <= now) {
    const CorrelationId id = ends_.begin()->second;
    erase(id);
  }
}

}  // namespace orzatty::hub
