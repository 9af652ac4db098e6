// What publications bring: what of it is new, where that goes, and what is said to it. One thread.
#pragma once

#include <optional>

#include "hub/hub_state.h"
#include "hub/publication.h"
#include "hub/publications.h"
#include "hub/requests.h"
#include "hub/sessions.h"
#include "hub/subscribing.h"
#include "session/server_session.h"
#include "wire/message.h"

namespace orzatty::hub {

class Publishing {
 public:
  // All of them outlive this.
  Publishing(HubState& state, const Sessions& sessions, Subscribing& subscribing,
             Requests& requests, Publications& publications)
      : state_(state),
        sessions_(sessions),
        subscribing_(subscribing),
        requests_(requests),
        publications_(publications) {}

  void skip(Peer& peer, const session::PublicationSkipped& skipped);
  // What of `given` may be taken at all and was not there before; all else is answered.
  struct Fresh {
    Publication* publication;
    session::PublicationMessages messages;
    bool has_requests = false;
  };
  [[nodiscard]] std::optional<Fresh> fresh(Peer& peer, const session::PublicationMessages& given);
  // Messages that a handler is to be given, if they are for one; settle() when it was.
  [[nodiscard]] std::optional<HubOutput> take(Peer& peer, const Fresh& fresh);
  void settle();
  // Of replies, which somebody else hands on, in order.
  void accept(Peer& peer, Publication& publication, const session::PublicationMessages& given);
  void reject(Peer& peer, Publication& publication, const session::PublicationMessages& given,
              ErrorCode code);

 private:
  // What of new messages may be taken; why not is said.
  [[nodiscard]] std::optional<Fresh> checked(Peer& peer, Publication& publication,
                                             const session::PublicationMessages& fresh);
  void take_scattered(Peer& peer, Publication& publication, session::PublicationMessages given);
  // What of `given` is new; the rest is acknowledged as known.
  [[nodiscard]] session::PublicationMessages acknowledge_known(
      Peer& peer, const Publication& publication, const session::PublicationMessages& given);
  // All of `known` has its fate, which is said again.
  void acknowledge(Peer& peer, const Publication& publication,
                   const session::PublicationMessages& known);
  // False when there is no room, which is said.
  bool store(Peer& peer, Publication& publication, const session::PublicationMessages& fresh);
  // The same where each may have another answer: requests, values of keys, and what is
  // too large for a datagram.
  void store_each(Peer& peer, Publication& publication, const session::PublicationMessages& fresh);
  [[nodiscard]] ErrorCode admit(const Peer& peer, Channel& channel,
                                const wire::MessageView& message, Offset offset);
  [[nodiscard]] ErrorCode expect_reply(const Peer& peer, Channel& channel,
                                       const wire::MessageView& message, Offset offset);
  [[nodiscard]] HubOutput hand_over(Peer& peer, Publication& publication,
                                    const session::PublicationMessages& fresh);

  HubState& state_;
  const Sessions& sessions_;
  Subscribing& subscribing_;
  Requests& requests_;
  Publications& publications_;

  // Messages that a handler is looking at: accepted when it is done. spec: PUBLISH-4
  struct Handed {
    PeerKey peer;
    session::RemoteStream stream;
    wire::AckRun run;
    std::uint64_t bytes = 0;
    std::uint32_t nonce = 0;
  };
  std::optional<Handed> handed_;
};

}  // namespace orzatty::hub
