// DIRECT: the preface of a server's stream: messages to this session alone.
#pragma once

#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

// To it a client publishes replies, and on it gets those that are for it. spec: REQUEST-5
inline constexpr std::string_view kReplyChannel = "$reply";

struct Direct {
  ChannelName channel;
  bool operator==(const Direct&) const = default;
};

std::expected<Direct, ProtocolError> decode_direct(BytesView body);
// Appends the whole frame.
void encode(const Direct& direct, Bytes& out);

}  // namespace orzatty::wire
