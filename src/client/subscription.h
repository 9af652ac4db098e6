// One subscription of a client: what it asked for, how far it is in each channel, and what the names
// on the current connection mean. Outlives connections: it subscribes again where it stands.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "session/client_session.h"
#include "wire/alias.h"
#include "wire/producer.h"
#include "wire/subscribe.h"

namespace orzatty::client {

class Subscription {
 public:
  Subscription(SubscriptionId id, ChannelPattern pattern, const StartPosition& start)
      : id_(id), pattern_(std::move(pattern)), start_(start) {}

  [[nodiscard]] wire::Subscribe request() const;
  // The connection is gone, and with it the aliases.
  void lose();

  // What ALIAS says about a channel that was known already.
  enum class Introduced : std::uint8_t { kNew, kContinued, kReset };
  [[nodiscard]] Introduced introduce(const wire::Alias& alias);
  void introduce(const wire::Producer& producer);

  // Messages or a gap at [from, to) of a channel, whose name is given. spec: SUBSCRIBE-3
  [[nodiscard]] std::expected<std::string_view, ProtocolError> advance(ChannelAlias channel,
                                                                       Offset from, Offset to);
  [[nodiscard]] std::string_view publisher(ProducerAlias producer) const;

  bool confirmed = false;  // SUBSCRIBED came, once
  bool ended = false;

 private:
  struct Position {
    ChannelEpoch epoch;
    Offset next;
  };
  using Positions = std::map<ChannelName, Position>;

  SubscriptionId id_;
  ChannelPattern pattern_;
  StartPosition start_;
  Positions positions_;
  std::unordered_map<std::uint64_t, Positions::iterator> channels_;  // by alias; never iterated
  std::unordered_map<std::uint64_t, std::string> producers_;         // by alias; never iterated
};

}  // namespace orzatty::client
