// Requests whose replies a client waits for, each until its time is over. Outlives connections: a
// reply comes in the session that asked. One thread.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "client/publication.h"
#include "session/client_session.h"

namespace orzatty::client {

class Requests {
 public:
  explicit Requests(std::size_t count_max) : count_max_(count_max) {}

  // The message that will be that sequence of a publication is a request. False when too many wait.
  [[nodiscard]] bool add(const AwaitedReply& request);
  // A reply came. False when nobody waits for it.
  [[nodiscard]] bool take(const CorrelationId& id) { return erase(id); }
  // Nobody wants the reply any more; the server is told as soon as it is known to have the request,
  // and there is a connection.
  void cancel(const CorrelationId& id, session::ClientSession* session);
  // Its message was never appended.
  void withdraw(const CorrelationId& id) { erase(id); }
  // Messages of a publication have their fate: of a request that was not accepted no reply will
  // come.
  void settled(const Settled& settled, session::ClientSession* session, Outputs& outputs);
  // The session has a connection again.
  void go_on(session::ClientSession& session);
  // The session is a new one: replies to what was accepted in the last one will not come.
  void begin_anew(Outputs& outputs);
  void expire(Instant now, Outputs& outputs);
  [[nodiscard]] std::optional<Instant> next_expiry() const;
  // No reply will come any more: the session ended by `code`.
  void give_up(ErrorCode code, Outputs& outputs);

 private:
  using Message = std::pair<PublicationId, Sequence>;
  struct Withdrawn {
    CorrelationId id;
    Instant until;  // then the server forgets it by itself
  };

  bool erase(const CorrelationId& id);
  void say_cancelled(const Withdrawn& withdrawn, session::ClientSession* session);
  void settle_cancelled(const Settled& settled, session::ClientSession* session);
  void fail(const CorrelationId& id, RequestFailed::Why why, ErrorCode code, Outputs& outputs);

  std::size_t count_max_;
  std::map<CorrelationId, AwaitedReply> waiting_;
  std::set<std::pair<Instant, CorrelationId>> ends_;
  std::map<Message, CorrelationId> unsettled_;  // those of them whose message has no fate
  std::map<Message, Withdrawn> cancelled_;      // unwanted, and the server may not have them yet
  std::vector<Withdrawn> unsaid_;  // unwanted, and the server, which has them, is out of reach
};

}  // namespace orzatty::client
