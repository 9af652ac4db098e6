#include "hub/subscribing.h"

#include <algorithm>
#include <expected>
#include <string>
#include <utility>

#include "base/assert.h"

namespace orzatty::hub {

namespace {

std::expected<Offset, ErrorCode> checked(std::uint64_t asked, const wire::Subscribe& request,
                                         Offset end) {
  if (asked <= end.value()) return Offset(asked);
  // Of many channels some may well be shorter; there it begins with what comes.
  if (request.pattern.has_wildcard()) return end;
  return std::unexpected(ErrorCode::kStartUnavailable);
}

// Where a subscription begins in a channel. spec: SUBSCRIBE-4
std::expected<Offset, ErrorCode> start_in(const Channel& channel, const wire::Subscribe& request) {
  const base::RunIndex& index = channel.index();
  const Offset end = index.next_offset();
  for (const wire::SubscribePosition& position : request.positions) {
    if (position.channel != channel.name()) continue;
    if (position.epoch != channel.epoch()) return Offset(0);  // a new life: all of it is news
    return checked(position.next.value(), request, end);
  }
  const std::uint64_t kept = end - index.first_offset();
  switch (request.start.kind) {
    case StartPosition::Kind::kLive:
      return end;
    case StartPosition::Kind::kLatest:
      return Offset(end.value() - std::min<std::uint64_t>(kept, 1));
    case StartPosition::Kind::kLast:
      return Offset(end.value() - std::min(kept, request.start.value));
    case StartPosition::Kind::kOffset:
      return checked(request.start.value, request, end);
    case StartPosition::Kind::kStart:
      return index.first_offset();
  }
  ORZATTY_UNREACHABLE();
}

}  // namespace

// spec: SUBSCRIBE-1
void Subscribing::subscribe(Peer& peer, const wire::Subscribe& request) {
  session::ServerSession& session = peer.session;
  if (peer.find_delivery(request.subscription) != nullptr) {
    return session.core().fail({ErrorCode::kFrameUnexpected, "a subscription twice"});
  }
  // spec: STREAM-9
  if (peer.deliveries().size() >= state_.config.limits.subscription_count_max) {
    return session.core().fail({ErrorCode::kLimitExceeded, "too many subscriptions"});
  }
  const ErrorCode code = find_starts(request);
  if (code != ErrorCode::kNone) return session.ended(request.subscription, code, advice(code));
  session.subscribed(request.subscription);
  Delivery& delivery = peer.add_delivery(request.subscription, request.pattern);
  ++state_.counters.subscriptions;
  if (request.pattern.has_wildcard()) wildcards_.add(delivery);
  for (const Start& start : starts_) attach(delivery, *start.channel, start.next);
}

ErrorCode Subscribing::find_starts(const wire::Subscribe& request) {
  starts_.clear();
  ErrorCode code = ErrorCode::kNone;
  const auto consider = [&](Channel& channel) {
    const auto start = start_in(channel, request);
    if (!start) code = start.error();
    if (start) starts_.push_back({&channel, *start});
    if (starts_.size() > state_.config.limits.subscription_channel_count_max) {
      code = ErrorCode::kLimitExceeded;
    }
    return code == ErrorCode::kNone;
  };
  if (request.pattern.has_wildcard()) {
    channels_.for_each_match(request.pattern, consider);
    return code;
  }
  // It exists from now on, so that "live" means from now on.
  Channel* const channel = find_or_make(*ChannelName::parse(request.pattern.text()));
  if (channel == nullptr) return ErrorCode::kChannelLimit;
  if (!consider(*channel)) tend(*channel);
  return code;
}

void Subscribing::attach(Delivery& delivery, Channel& channel, Offset start) {
  delivery.add(channel, start);
  Peer& peer = *state_.find(delivery.peer());
  peer.session.core().sends().wake(delivery.stream());
  state_.mark_ready(peer);
}

Channel* Subscribing::find_or_make(const ChannelName& name) {
  if (Channel* const known = channels_.find(name.text())) return known;
  Channel* const made = channels_.make(name);
  if (made != nullptr) announce(*made);
  state_.counters.channels = channels_.size();
  return made;
}

// spec: SUBSCRIBE-5
void Subscribing::announce(Channel& channel) {
  std::vector<Delivery*> matching;
  std::vector<std::pair<PeerKey, SubscriptionId>> full;
  wildcards_.match(channel.name(), matching);
  for (Delivery* const delivery : matching) {
    if (delivery->readers().size() < state_.config.limits.subscription_channel_count_max) {
      attach(*delivery, channel, Offset(0));
    } else {
      full.emplace_back(delivery->peer(), delivery->id());
    }
  }
  for (const auto& [key, id] : full) {
    end(*state_.find(key), id, ErrorCode::kLimitExceeded, "the pattern matches too many channels");
  }
}

void Subscribing::wake(Channel& channel) {
  const base::RunNumber newest(channel.index().end_number().value() - 1);
  for (ChannelReader* const reader : channel.readers().wake(newest)) {
    Delivery& delivery = reader->delivery();
    delivery.line_up(*reader);
    Peer& peer = *state_.find(delivery.peer());
    peer.session.core().sends().wake(delivery.stream());
    state_.mark_ready(peer);
  }
}

// To end a subscription is to tend the other channels that it reads: one after the other, as a
// channel that is looked at must not go meanwhile.
void Subscribing::tend(Channel& channel) {
  if (std::exchange(channel.untended, true)) return;
  untended_.push_back(&channel);
  if (std::exchange(tending_, true)) return;
  while (!untended_.empty()) tend_one(*untended_.pop_front());
  tending_ = false;
}

void Subscribing::tend_one(Channel& channel) {
  overtaken_.clear();
  channel.trim(state_.now, overtaken_);
  for (ChannelReader* const reader : overtaken_) settle_overtaken(*reader);
  pay_debts(channel);
  channel.untended = false;
  if (channels_.settle(channel, state_.now)) state_.counters.channels = channels_.size();
}

// spec: CREDIT-2, CREDIT-3
void Subscribing::pay_debts(Channel& channel) {
  while (const auto owed = channel.pay()) {
    Peer* const peer = state_.find(owed->peer);
    if (peer == nullptr) continue;
    peer->session.core().consumed(owed->stream, owed->size);
    state_.mark_ready(*peer);
  }
  if (!channel.in_debt()) {
    channel.slow_told = false;
  } else if (!std::exchange(channel.slow_told, true)) {
    const auto run = channel.readers().slowest();
    for (ChannelReader* const reader : channel.readers().all()) {
      const bool behind = reader->standing.state == Standing::State::kBehind;
      if (behind && reader->standing.run == *run) tell_slow(*reader);
    }
  }
}

void Subscribing::tell_slow(ChannelReader& reader) {
  if (std::exchange(reader.told_slow, true)) return;
  const Peer& peer = *state_.find(reader.delivery().peer());
  state_.outputs.push_back(SubscriberSlow{peer.identity,
                                          std::string(reader.channel().name().text()),
                                          reader.channel().config().slow_policy});
}

void Subscribing::settle_overtaken(ChannelReader& reader) {
  tell_slow(reader);
  if (reader.channel().config().slow_policy != SlowPolicy::kDisconnect) return;
  const std::string text = "resume " + std::string(reader.channel().name().text()) + " at offset " +
                           std::to_string(reader.next().value());
  end(*state_.find(reader.delivery().peer()), reader.delivery().id(), ErrorCode::kSlowSubscriber,
      text);
}

// spec: SUBSCRIBE-6
void Subscribing::unsubscribe(Peer& peer, SubscriptionId id) {
  if (peer.find_delivery(id) == nullptr) return;  // ended from this side at the same moment
  end(peer, id, ErrorCode::kNone, "");
}

void Subscribing::end(Peer& peer, SubscriptionId id, ErrorCode code, std::string_view text) {
  Delivery& delivery = *peer.find_delivery(id);
  std::vector<Channel*> read;
  for (const auto& reader : delivery.readers()) read.push_back(&reader->channel());
  detach(peer, delivery);
  peer.session.ended(id, code, text);
  state_.mark_ready(peer);
  for (Channel* const channel : read) tend(*channel);
}

void Subscribing::detach(Peer& peer, Delivery& delivery) {
  if (delivery.pattern().has_wildcard()) wildcards_.remove(delivery);
  for (const auto& reader : delivery.readers()) std::erase(peer.channels_read, &reader->channel());
  peer.remove_delivery(delivery.id());
  --state_.counters.subscriptions;
}

void Subscribing::forget(Peer& peer) {
  std::vector<Channel*> read;
  while (!peer.deliveries().empty()) {
    Delivery& delivery = *peer.deliveries().begin()->second;
    for (const auto& reader : delivery.readers()) read.push_back(&reader->channel());
    detach(peer, delivery);
  }
  std::ranges::sort(read, {}, [](const Channel* channel) { return channel->timer_slot; });
  const auto repeated = std::ranges::unique(read);
  read.erase(repeated.begin(), repeated.end());
  for (Channel* const channel : read) tend(*channel);
}

void Subscribing::consumed(Peer& peer, const wire::Consumed& consumed) {
  for (const wire::ConsumedPosition& position : consumed.positions) {
    Delivery* const delivery = peer.find_delivery(position.subscription);
    ChannelReader* const reader = delivery == nullptr ? nullptr : delivery->find(position.alias);
    if (reader != nullptr && position.next <= reader->next()) reader->consumed = position.next;
  }
}

void Subscribing::written(Peer& peer) {
  state_.counters.messages_out += std::exchange(peer.counters.messages, 0);
  state_.counters.bytes_out += std::exchange(peer.counters.bytes, 0);
  state_.counters.missed += std::exchange(peer.counters.missed, 0);
  while (!peer.channels_read.empty()) {
    Channel& channel = *peer.channels_read.back();
    peer.channels_read.pop_back();
    tend(channel);
  }
  for (const SubscriptionId id : peer.exhausted) {
    if (peer.find_delivery(id) == nullptr) continue;
    end(peer, id, ErrorCode::kLimitExceeded,
        "one stream can carry no more publishers: subscribe again");
  }
  peer.exhausted.clear();
}

}  // namespace orzatty::hub
