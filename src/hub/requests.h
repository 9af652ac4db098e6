// Requests whose replies somebody waits for: to which session a reply goes, and whom it may come from.
// In bounded memory, for a bounded time. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "orzatty/limits.h"
#include "orzatty/time.h"

namespace orzatty::hub {

struct Request {
  CorrelationId id;
  SessionId requester;
  ChannelEpoch channel;  // 64 random bits: no other channel of this hub has them
  Offset offset;
  Instant until;
};

class Requests {
 public:
  explicit Requests(const Limits& limits) : limits_(limits) {}

  // From now on its reply is waited for. kNotAuthorised when that id is in use, kLimitExceeded when
  // its session waits for as many as it may, or all sessions of its identity do, kOverloaded when
  // all of them together do.
  [[nodiscard]] ErrorCode add(const Request& request, std::string_view identity, Instant now);
  // nullptr when nobody waits for a reply of that id any more.
  [[nodiscard]] const Request* find(const CorrelationId& id, Instant now);
  // It was answered, or never stored.
  void erase(const CorrelationId& id);
  // The session withdraws one of its own.
  void cancel(const SessionId& session, const CorrelationId& id);
  // The session is gone, with all that it waited for.
  void forget(const SessionId& session);
  [[nodiscard]] std::size_t size() const { return requests_.size(); }

 private:
  struct OfSession {
    std::string identity;
    std::set<CorrelationId> ids;
  };
  // An identity has no more places than are left to others: alone it gets half of all, and who comes
  // next to n that ask for all they can, one of n + 1 parts.
  [[nodiscard]] bool has_share(std::string_view identity) const;
  // One that is there.
  void leave(const OfSession& session, const CorrelationId& id);
  // Those whose time is over are looked for when somebody needs the room: nobody waits for them.
  void end_overdue(Instant now);

  const Limits& limits_;
  std::map<CorrelationId, Request> requests_;
  std::set<std::pair<Instant, CorrelationId>> ends_;
  std::map<SessionId, OfSession> by_session_;
  std::map<std::string, std::size_t, std::less<>> by_identity_;  // how many each waits for
};

}  // namespace orzatty::hub
