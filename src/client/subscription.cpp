#include "client/subscription.h"

#include <algorithm>

#include "base/planted.h"

namespace orzatty::client {

namespace {

std::unexpected<ProtocolError> refuse(ErrorCode code, std::string_view where) {
  return std::unexpected(ProtocolError{code, where});
}

}  // namespace

// spec: SUBSCRIBE-4
wire::Subscribe Subscription::request() {
  wire::Subscribe request{
      .subscription = id_, .pattern = pattern_, .start = start_, .positions = {}};
  std::size_t size = 0;
  for (auto& [channel, position] : positions_) {
    if (!position.begun) continue;
    constexpr std::size_t kFixed = 2 + 8 + 8;
    size += kFixed + channel.text().size();
    position.told = size <= kPositionBytesMax;
    if (base::planted(base::PlantedBug::kResumesOneTooLate)) position.had.advance(position.had.next() + 1);
    if (!position.told) break;
    request.positions.push_back({channel, position.epoch, position.had.next()});
  }
  // A channel that came while we were away is seen from its first message on, or a gap tells.
  if (ready_) request.start = StartPosition::at(Offset(0));
  return request;
}

// What is not told here the server knows by CONSUMED, and we pass over what it repeats.
// spec: RESUME-3
void Subscription::tell(std::vector<wire::HelloPosition>& into, std::size_t& size_max) {
  for (auto& [channel, position] : positions_) {
    if (!position.begun) continue;
    constexpr std::size_t kFixed = 8 + 2 + 8 + 8;
    const std::size_t size = kFixed + channel.text().size();
    position.told = size <= size_max;
    if (!position.told) return;
    size_max -= size;
    into.push_back({id_, channel, position.epoch, position.had.next()});
  }
}

bool Subscription::become_ready() {
  if (ready_ || !begins_in_ || channels_.size() < *begins_in_) return false;
  return ready_ = true;
}

void Subscription::lose() {
  begins_in_.reset();
  aliases_ = wire::AliasTable(channel_count_max_);
  channels_.clear();
  producer_aliases_ = wire::AliasTable(64 * 1024);
  publishers_.clear();
  early_.clear();
  for (auto& [channel, position] : positions_) {
    position.over.reset();
    position.told = position.replaying = false;
    if (base::planted(base::PlantedBug::kArrivalsAreForgotten)) {
      position.had = base::Arrivals<Offset>(position.had.next());
    }
  }
}

// spec: SUBSCRIBE-2, SUBSCRIBE-4
std::expected<Subscription::Introduced, ProtocolError> Subscription::introduce(
    const wire::Alias& alias) {
  auto known = positions_.find(alias.channel);
  const bool is_new = known == positions_.end();
  if (is_new && positions_.size() >= channel_count_max_) {
    return refuse(ErrorCode::kLimitExceeded, "channels of a subscription");
  }
  if (aliases_.full() || !aliases_.introduce(alias.alias.value(), channels_.size())) {
    return refuse(ErrorCode::kFrameUnexpected, "ALIAS");
  }
  if (is_new) known = positions_.emplace(alias.channel, begun_at(alias)).first;
  channels_.push_back(&*known);
  Position& position = known->second;
  Introduced introduced;
  if (position.epoch != alias.epoch) {
    introduced.reset = !base::planted(base::PlantedBug::kResetIsNotTold);
    position = begun_at(alias, position.epoch);
  } else if (!position.begun) {
    position.begun = true;
    position.had.advance(alias.next);
  } else if (!position.told && !is_new) {
    introduced.missed = missing(position, alias.next);
    position.had.advance(alias.next);
    position.replaying = alias.next < position.had.next();
  }
  // Otherwise it goes on where we stand: its first run or gap is held against our own position.
  position.as_datagrams = alias.mode == DeliveryMode::kDatagram;
  if (const auto lost = take_early(alias.alias, position)) introduced.missed.push_back(*lost);
  return introduced;
}

// spec: DATAGRAM-7
std::optional<Gap> Subscription::take_early(ChannelAlias alias, Position& position) const {
  const auto early = std::ranges::find(early_, alias, &Early::alias);
  const Offset next = position.had.next();
  if (!position.as_datagrams || early == early_.end() || early->to <= next) return std::nullopt;
  position.had.advance(early->to);
  return Gap{next, early->to, GapReason::kLost};
}

std::vector<Gap> Subscription::missing(const Position& position, Offset to) {
  std::vector<Gap> gaps;
  for (Offset from = position.had.next(); from < to;) {
    const auto stretch = position.had.look(from, to - from);
    if (!stretch.known) gaps.push_back({from, from + stretch.count, GapReason::kRetention});
    from += stretch.count;
  }
  return gaps;
}

// spec: DATAGRAM-7
void Subscription::drop_early(ChannelAlias alias, Offset to) {
  const auto known = std::ranges::find(early_, alias, &Early::alias);
  if (known != early_.end()) {
    known->to = std::max(known->to, to);
  } else if (early_.size() < kEarlyCountMax) {
    early_.push_back({alias, to});
  }
}

std::expected<void, ProtocolError> Subscription::introduce(const wire::Producer& producer) {
  if (producer_aliases_.full() ||
      !producer_aliases_.introduce(producer.alias.value(), publishers_.size())) {
    return refuse(ErrorCode::kFrameUnexpected, "PRODUCER");
  }
  publishers_.push_back(producer.identity);
  return {};
}

// spec: SUBSCRIBE-3
std::expected<Subscription::Advanced, ProtocolError> Subscription::advance(ChannelAlias alias,
                                                                           Offset from, Offset to) {
  const std::uint64_t* const place = aliases_.find(alias.value());
  if (place == nullptr) return refuse(ErrorCode::kAliasUnknown, "a channel's alias");
  auto& [name, position] = *channels_[*place];
  Advanced advanced{.channel = name.text(), .known = 0, .lost = {}};
  const Offset next = position.had.next();
  if (position.as_datagrams && from < next && base::planted(base::PlantedBug::kLateIsDelivered)) {
    return advanced;
  }
  if ((position.replaying || position.as_datagrams) && from < next) {
    advanced.known = std::min(next, to) - from;
  } else if (position.as_datagrams && from > next) {
    if (!base::planted(base::PlantedBug::kLostIsSilent)) {
      advanced.lost = Gap{next, from, GapReason::kLost};
    }
  } else if (from != next) {
    return refuse(ErrorCode::kSequenceInvalid, "an offset left out or told again");
  }
  position.had.advance(to);
  return advanced;
}

// spec: SUBSCRIBE-8
std::expected<Subscription::Arrived, ProtocolError> Subscription::arrive(const wire::Alias& alias,
                                                                         Offset from, Offset to) {
  auto known = positions_.find(alias.channel);
  if (known == positions_.end()) {
    if (positions_.size() >= channel_count_max_) {
      return refuse(ErrorCode::kLimitExceeded, "channels of a subscription");
    }
    known = positions_.emplace(alias.channel, Position{.epoch = alias.epoch}).first;
  }
  auto& [name, position] = *known;
  if (position.over == alias.epoch) {
    return Arrived{.channel = name.text(), .known = true, .count = to - from};
  }
  if (position.epoch != alias.epoch) {
    position = {.epoch = alias.epoch, .over = position.epoch};
    return Arrived{.channel = name.text(), .reset = true};
  }
  const auto stretch = position.had.look(from, to - from);
  position.had.add(from, from + stretch.count);
  if (position.had.above().size() > scatter_max_) {
    return refuse(ErrorCode::kLimitExceeded, "holes in a channel");
  }
  return Arrived{.channel = name.text(), .known = stretch.known, .count = stretch.count};
}

std::optional<Offset> Subscription::position(const ChannelName& channel) const {
  const auto known = positions_.find(channel);
  if (known == positions_.end() || !known->second.begun) return std::nullopt;
  return known->second.had.next();
}

std::string_view Subscription::publisher(ProducerAlias producer) {
  if (base::planted(base::PlantedBug::kIdentityOfAnother)) return publishers_.front();
  const std::uint64_t* const place = producer_aliases_.find(producer.value());
  return place == nullptr ? std::string_view() : std::string_view(publishers_[*place]);
}

}  // namespace orzatty::client
