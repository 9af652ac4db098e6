// What the server itself publishes into channels. One thread.
#pragma once

#include "hub/channel.h"
#include "hub/hub_state.h"
#include "hub/subscribing.h"

namespace orzatty::hub {

class OwnPublishing {
 public:
  // Both outlive this.
  OwnPublishing(HubState& state, Subscribing& subscribing)
      : state_(state), subscribing_(subscribing) {
    state_.prng.fill(id_.bytes);
  }

  [[nodiscard]] ErrorCode publish(const ChannelName& name, MessageType type, BytesView payload,
                                  const MessageAttributes& attributes);

 private:
  [[nodiscard]] ErrorCode append(Channel& channel, Batch batch,
                                 const MessageAttributes& attributes);

  HubState& state_;
  Subscribing& subscribing_;
  ProducerId id_;
  Bytes frame_;  // reused
};

}  // namespace orzatty::hub
