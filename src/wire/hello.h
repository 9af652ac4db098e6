// HELLO: the first frame of a client: who it is, what it speaks, and where it was.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

// Where a subscription of the session before was. spec: SUBSCRIBE-4
struct HelloPosition {
  SubscriptionId subscription;
  ChannelName channel;
  ChannelEpoch epoch;
  Offset next;
  bool operator==(const HelloPosition&) const = default;
};

// Where the session before was in what was sent to it alone.
struct HelloDirect {
  ChannelName channel;
  Sequence next;
  bool operator==(const HelloDirect&) const = default;
};

struct Hello {
  std::vector<std::uint64_t> versions;
  std::uint64_t features = 0;
  std::optional<SessionId> session;  // to resume
  Bytes token;                       // at most kTokenSizeMax bytes
  std::string agent;                 // at most kAgentSizeMax bytes
  std::vector<HelloPosition> positions;
  std::vector<HelloDirect> directs;
  bool operator==(const Hello&) const = default;
};

std::expected<Hello, ProtocolError> decode_hello(BytesView body);
// Appends the whole frame.
void encode(const Hello& hello, Bytes& out);

}  // namespace orzatty::wire
