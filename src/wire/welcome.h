// WELCOME: the first frame of a server: it accepted the client, and on what terms.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

// A producer of the resumed session: what the server expects of it next.
struct WelcomeProducer {
  ProducerId producer;
  ChannelName channel;
  Sequence next;
  bool operator==(const WelcomeProducer&) const = default;
};

struct Welcome {
  std::uint64_t version = 1;
  std::uint64_t features = 0;
  SessionId session;
  bool resumed = false;
  std::string identity;  // at most kIdentitySizeMax bytes
  std::uint32_t message_size_max = 0;
  std::uint32_t publication_count_max = 0;  // that may be open at once
  std::chrono::milliseconds heartbeat_interval{0};
  std::chrono::milliseconds dead_after{0};
  std::vector<WelcomeProducer> producers;
  std::vector<SubscriptionId> subscriptions;  // of the resumed session, that go on by themselves
  bool operator==(const Welcome&) const = default;
};

std::expected<Welcome, ProtocolError> decode_welcome(BytesView body);
// Appends the whole frame.
void encode(const Welcome& welcome, Bytes& out);

}  // namespace orzatty::wire
