#include "hub/sessions.h"

#include "base/planted.h"

namespace orzatty::hub {

void Sessions::release(const SessionId& id, base::SlabKey peer) {
  const auto found = attached_.find(id);
  if (found != attached_.end() && found->second == peer) attached_.erase(found);
}

std::optional<base::SlabKey> Sessions::find_attached(const SessionId& id) const {
  const auto found = attached_.find(id);
  if (found == attached_.end()) return std::nullopt;
  return found->second;
}

bool Sessions::keep(DetachedSession session, Instant now) {
  if (session.size > limits_.session_retained_size_max || detached_.contains(session.id)) {
    return false;
  }
  session.until = now + limits_.session_retention;
  held_ += session.size;
  order_.push_back({session.id, session.until});
  by_peer_[name_of(session.peer)] = session.id;
  for (const wire::Subscribe& one : session.subscriptions) patterns_.add(one.pattern);
  const SessionId id = session.id;
  detached_.emplace(id, std::move(session));
  return true;
}

DetachedSession Sessions::extract(std::map<SessionId, DetachedSession>::iterator found) {
  DetachedSession session = std::move(found->second);
  for (const wire::Subscribe& one : session.subscriptions) patterns_.remove(one.pattern);
  by_peer_.erase(name_of(session.peer));
  detached_.erase(found);
  held_ -= session.size;
  drop_stale();
  return session;
}

// A session that came back and left again waits anew, under the same id.
bool Sessions::is_over(const Waiting& waiting) const {
  const auto found = detached_.find(waiting.id);
  return found == detached_.end() || found->second.until != waiting.until;
}

void Sessions::drop_stale() {
  while (!order_.empty() && is_over(order_.front())) order_.pop_front();
  if (order_.size() > 2 * detached_.size() + 64) {
    std::erase_if(order_, [&](const Waiting& waiting) { return is_over(waiting); });
  }
}

std::optional<DetachedSession> Sessions::take(const SessionId& id, std::string_view identity) {
  const auto found = detached_.find(id);
  if (found == detached_.end()) return std::nullopt;
  const bool own =
      found->second.identity == identity || base::planted(base::PlantedBug::kStolenIdWorks);
  if (!own) return std::nullopt;
  return extract(found);
}

DetachedSession* Sessions::find(base::SlabKey peer) {
  const auto known = by_peer_.find(name_of(peer));
  return known == by_peer_.end() ? nullptr : &detached_.find(known->second)->second;
}

std::optional<DetachedSession> Sessions::take(base::SlabKey peer) {
  const auto known = by_peer_.find(name_of(peer));
  if (known == by_peer_.end()) return std::nullopt;
  return extract(detached_.find(known->second));
}

bool Sessions::has_room(const DetachedSession& session, std::uint64_t size) const {
  return session.size + size <= limits_.session_retained_size_max;
}

void Sessions::add_size(DetachedSession& session, std::uint64_t size) {
  session.size += size;
  held_ += size;
}

std::optional<DetachedSession> Sessions::pop_due(Instant now) {
  if (order_.empty()) return std::nullopt;
  const bool too_many = detached_.size() > limits_.session_retained_count_max ||
                        held_ > limits_.hub_size_max / kHubShare;
  if (!too_many && order_.front().until > now) return std::nullopt;
  return extract(detached_.find(order_.front().id));
}

std::optional<Instant> Sessions::next_timeout() const {
  if (order_.empty()) return std::nullopt;
  return order_.front().until;
}

}  // namespace orzatty::hub
