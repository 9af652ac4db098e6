// What becomes of a session when its connection dies, and when its client comes back with its id.
// One thread.
#pragma once

#include <optional>

#include "hub/hub_state.h"
#include "hub/publications.h"
#include "hub/requests.h"
#include "hub/sessions.h"
#include "hub/subscribing.h"

namespace orzatty::hub {

class Resuming {
 public:
  // What one list of WELCOME may take, so that the frame holds both.
  static constexpr std::size_t kListSizeMax = 24 * 1024;

  // All of them outlive this.
  Resuming(HubState& state, Sessions& sessions, Subscribing& subscribing,
           Publications& publications, Requests& requests)
      : state_(state),
        sessions_(sessions),
        subscribing_(subscribing),
        publications_(publications),
        requests_(requests) {}

  // The connection of an authenticated peer is gone: its session waits, or ends.
  void part(Peer& peer);
  // The peer was authenticated. What it goes on with, if it asked for a session that it may have;
  // `welcome` says so, or has the id of a new one, `drawn`.
  [[nodiscard]] std::optional<DetachedSession> begin(Peer& peer, const SessionId& drawn,
                                                     wire::Welcome& welcome);
  // Behind WELCOME: everything of the session moves to the peer.
  void go_on(Peer& peer, DetachedSession session);
  // The server ends the session of a peer without a connection.
  void end(PeerKey peer, ErrorCode code);
  // The peer that a session is, or was last while it waits.
  [[nodiscard]] std::optional<PeerKey> find_peer(const SessionId& id) const;
  // The session that was last this peer; nullptr when it does not wait.
  [[nodiscard]] DetachedSession* find(PeerKey peer) { return sessions_.find(peer); }
  [[nodiscard]] ErrorCode send_direct(DetachedSession& session, const ChannelName& channel,
                                      MessageType type, BytesView payload,
                                      const MessageAttributes& attributes);
  // Who waits although there is something for it.
  [[nodiscard]] std::vector<std::string> waited_for() const;

  void end_overdue();
  [[nodiscard]] std::optional<Instant> next_timeout() const { return sessions_.next_timeout(); }

 private:
  [[nodiscard]] DetachedSession strip(Peer& peer);
  [[nodiscard]] std::optional<DetachedSession> take_over(const Peer& peer, const SessionId& id);
  void list_producers(DetachedSession& session, wire::Welcome& welcome);
  void apply_positions(Peer& peer, DetachedSession& session);
  void tell_left(const DetachedSession& session);

  HubState& state_;
  Sessions& sessions_;
  Subscribing& subscribing_;
  Publications& publications_;
  Requests& requests_;
};

}  // namespace orzatty::hub
