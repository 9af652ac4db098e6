// Messages to one session alone: of the embedding program, and replies of other clients to what it
// asked for. One thread.
#pragma once

#include "hub/hub_state.h"
#include "hub/publishing.h"
#include "hub/requests.h"
#include "hub/resuming.h"

namespace orzatty::hub {

class Directing {
 public:
  // All of them outlive this.
  Directing(HubState& state, Publishing& publishing, Resuming& resuming, Requests& requests)
      : state_(state), publishing_(publishing), resuming_(resuming), requests_(requests) {}

  // Hub::send_direct().
  [[nodiscard]] ErrorCode send(PeerKey peer, const ChannelName& channel, MessageType type,
                               BytesView payload, const MessageAttributes& attributes);
  // Replies that a peer published.
  void take_replies(Peer& peer, const Publishing::Fresh& fresh);

 private:
  [[nodiscard]] ErrorCode reply(Peer& responder, const wire::MessageView& message);
  [[nodiscard]] static bool was_given(Peer& peer, const Request& request);

  HubState& state_;
  Publishing& publishing_;
  Resuming& resuming_;
  Requests& requests_;
};

}  // namespace orzatty::hub
