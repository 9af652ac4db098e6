// A stream on which a peer publishes: where its messages go, and as whose.
#pragma once

#include <cstddef>
#include <string>

#include "base/run_index.h"
#include "hub/producers.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"

namespace orzatty::hub {

class Channel;

// A channel whose messages the embedding program handles. It has no log, but knows its producers as
// a channel does: what was handed over once is not handed over again.
struct Endpoint {
  explicit Endpoint(base::SegmentPool& pool) : producers(pool) {}

  std::size_t handler = 0;
  Producers producers;
};

struct Publication {
  Channel* channel = nullptr;  // one of the two, or
  Endpoint* endpoint = nullptr;
  ErrorCode refused = ErrorCode::kNone;  // why nothing of it is taken
  base::ProducerNumber producer;         // in the table below
  Producers* producers = nullptr;        // of the channel, the endpoint, or of who found no room
  bool joined = false;                   // it stands there
  bool keeps_order = true;
  bool as_datagrams = false;             // its messages come, and not on its stream
  bool has_own_stream = false;           // not only passing ones came yet
  std::string name;
};

}  // namespace orzatty::hub
