#include "client/requests.h"

#include "base/planted.h"

namespace orzatty::client {

bool Requests::add(const AwaitedReply& request) {
  if (waiting_.size() + cancelled_.size() + unsaid_.size() >= count_max_) return false;
  waiting_.emplace(request.id, request);
  ends_.emplace(request.until, request.id);
  unsettled_.emplace(Message(request.publication, request.sequence), request.id);
  return true;
}

bool Requests::erase(const CorrelationId& id) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return false;
  const AwaitedReply& request = found->second;
  ends_.erase({request.until, id});
  unsettled_.erase({request.publication, request.sequence});
  waiting_.erase(found);
  return true;
}

void Requests::fail(const CorrelationId& id, RequestFailed::Why why, ErrorCode code,
                    Outputs& outputs) {
  if (erase(id)) outputs.push_back(RequestFailed{id, why, code});
}

// CANCEL overtakes what waits in an outbox, so before the request is known to be there it would
// find nothing. spec: REQUEST-7
void Requests::cancel(const CorrelationId& id, session::ClientSession* session) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  const Message message(found->second.publication, found->second.sequence);
  const Withdrawn withdrawn{id, found->second.until};
  const bool settled = !unsettled_.contains(message);
  erase(id);
  if (settled) {
    say_cancelled(withdrawn, session);
  } else {
    cancelled_.emplace(message, withdrawn);
  }
}

void Requests::say_cancelled(const Withdrawn& withdrawn, session::ClientSession* session) {
  if (session != nullptr && session->open()) {
    session->cancel(withdrawn.id);
  } else {
    unsaid_.push_back(withdrawn);
  }
}

void Requests::go_on(session::ClientSession& session) {
  for (const Withdrawn& withdrawn : unsaid_) session.cancel(withdrawn.id);
  unsaid_.clear();
}

void Requests::settle_cancelled(const Settled& settled, session::ClientSession* session) {
  auto next = cancelled_.lower_bound({settled.publication, settled.from});
  while (next != cancelled_.end() && next->first < Message(settled.publication, settled.to)) {
    if (settled.fate == Fate::kAccepted) say_cancelled(next->second, session);
    next = cancelled_.erase(next);
  }
}

void Requests::settled(const Settled& settled, session::ClientSession* session, Outputs& outputs) {
  settle_cancelled(settled, session);
  auto next = unsettled_.lower_bound({settled.publication, settled.from});
  while (next != unsettled_.end() && next->first < Message(settled.publication, settled.to)) {
    const CorrelationId id = next->second;
    next = unsettled_.erase(next);
    if (settled.fate == Fate::kAccepted) continue;
    using Why = RequestFailed::Why;
    const Why why = settled.fate == Fate::kExpired    ? Why::kTimeout
                    : settled.fate == Fate::kRejected ? Why::kRejected
                                                      : Why::kLost;
    fail(id, why, settled.code, outputs);
  }
}

void Requests::begin_anew(Outputs& outputs) {
  unsaid_.clear();
  std::vector<CorrelationId> lost;
  for (const auto& [id, request] : waiting_) {
    if (!unsettled_.contains({request.publication, request.sequence})) lost.push_back(id);
  }
  for (const CorrelationId& id : lost) fail(id, RequestFailed::Why::kLost, {}, outputs);
}

void Requests::expire(Instant now, Outputs& outputs) {
  while (!ends_.empty() && ends_.begin()->first <= now) {
    const CorrelationId id = ends_.begin()->second;
    if (base::planted(base::PlantedBug::kTimedOutKeepsItsPlace)) {
      outputs.push_back(RequestFailed{id, RequestFailed::Why::kTimeout, {}});
      ends_.erase(ends_.begin());
      continue;
    }
    fail(id, RequestFailed::Why::kTimeout, {}, outputs);
  }
  std::erase_if(unsaid_, [now](const Withdrawn& withdrawn) { return withdrawn.until <= now; });
}

std::optional<Instant> Requests::next_expiry() const {
  if (ends_.empty()) return std::nullopt;
  return ends_.begin()->first;
}

void Requests::give_up(ErrorCode code, Outputs& outputs) {
  cancelled_.clear();
  unsaid_.clear();
  while (!ends_.empty()) {
    const CorrelationId id = ends_.begin()->second;
    fail(id, RequestFailed::Why::kLost, code, outputs);
  }
}

}  // namespace orzatty::client
