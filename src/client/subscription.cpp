#include "client/subscription.h"

namespace orzatty::client {

// spec: SUBSCRIBE-4
wire::Subscribe Subscription::request() const {
  wire::Subscribe request{.subscription = id_, .pattern = pattern_, .start = start_, .positions = {}};
  for (const auto& [channel, position] : positions_) {
    request.positions.push_back({channel, position.epoch, position.next});
  }
  // A channel that came while we were away is seen from its beginning.
  if (confirmed && !positions_.empty()) request.start = StartPosition::start();
  return request;
}

void Subscription::lose() {
  channels_.clear();
  producers_.clear();
}

// spec: SUBSCRIBE-2
Subscription::Introduced Subscription::introduce(const wire::Alias& alias) {
  auto [position, is_new] =
      positions_.try_emplace(alias.channel, Position{alias.epoch, alias.next});
  channels_[alias.alias.value()] = position;
  if (is_new) return Introduced::kNew;
  // It must go on where we stand: the first run or gap is held against our own position.
  if (position->second.epoch == alias.epoch) return Introduced::kContinued;
  position->second = {alias.epoch, alias.next};
  return Introduced::kReset;
}

void Subscription::introduce(const wire::Producer& producer) {
  producers_[producer.alias.value()] = producer.identity;
}

std::expected<std::string_view, ProtocolError> Subscription::advance(ChannelAlias channel,
                                                                     Offset from, Offset to) {
  const auto known = channels_.find(channel.value());
  if (known == channels_.end()) {
    return std::unexpected(ProtocolError{ErrorCode::kAliasUnknown, "a channel's alias"});
  }
  auto& [name, position] = *known->second;
  if (from != position.next) {
    return std::unexpected(ProtocolError{ErrorCode::kSequenceInvalid, "an offset is left out"});
  }
  position.next = to;
  return name.text();
}

std::string_view Subscription::publisher(ProducerAlias producer) const {
  const auto known = producers_.find(producer.value());
  return known == producers_.end() ? std::string_view() : std::string_view(known->second);
}

}  // namespace orzatty::client
