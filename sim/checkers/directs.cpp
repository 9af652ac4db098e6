#include "sim/checkers/directs.h"

namespace orzatty::sim {

void Directs::handle(const Happening& happening) {
  if (const auto* began = std::get_if<SessionBegan>(&happening)) {
    sessions_[began->session] = {};
  } else if (const auto* away = std::get_if<SessionAway>(&happening)) {
    sessions_[away->session].present = false;
  } else if (const auto* back = std::get_if<SessionBack>(&happening)) {
    sessions_[back->session].present = true;
  } else if (const auto* over = std::get_if<SessionOver>(&happening)) {
    over_.insert(sessions_.extract(over->session));
  } else if (std::holds_alternative<ServerFell>(happening)) {
    over_.merge(sessions_);
  } else if (const auto* sent = std::get_if<DirectSent>(&happening)) {
    sessions_[sent->session].sent = sent->sequence + 1;
  } else if (const auto* seen = std::get_if<DirectSeen>(&happening)) {
    handle(*seen);
  } else if (const auto* lost = std::get_if<DirectLost>(&happening)) {
    violated("program " + std::to_string(lost->program.value()) + " is told that messages " +
             std::to_string(lost->from.value()) + " to " + std::to_string(lost->to.value()) +
             " to it alone are lost");
  }
}

void Directs::handle(const DirectSeen& seen) {
  const std::string what = "program " + std::to_string(seen.program.value()) + " gets message " +
                           std::to_string(seen.sequence.value()) + " to session " +
                           std::to_string(seen.session.value());
  auto found = sessions_.find(seen.session);
  if (found == sessions_.end()) found = over_.find(seen.session);
  if (!seen.intact || found == over_.end()) return violated(what + ", that nobody sent");
  Session& session = found->second;
  if (session.program.value_or(seen.program) != seen.program) {
    return violated(what + ", which is another's");
  }
  if (seen.sequence >= session.sent) return violated(what + ", that nobody sent");
  if (seen.sequence != session.seen) {
    return violated(what + " where " + std::to_string(session.seen.value()) + " is next");
  }
  SessionNumber& newest = newest_[seen.program];
  if (seen.session < newest) return violated(what + ", which is over");
  newest = seen.session;
  session.program = seen.program;
  session.seen = seen.sequence + 1;
}

std::string Directs::unrest() const {
  for (const auto& [number, session] : sessions_) {
    if (session.present && session.seen < session.sent) {
      return "session " + std::to_string(number.value()) + " has not got all that is for it alone";
    }
  }
  return {};
}

void Directs::finish() {
  if (const std::string who = unrest(); !who.empty()) violated(who);
}

}  // namespace orzatty::sim
