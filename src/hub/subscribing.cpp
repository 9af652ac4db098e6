#include "hub/subscribing.h"

#include <algorithm>
#include <expected>
#include <string>
#include <utility>

#include "base/assert.h"
#include "base/planted.h"

namespace orzatty::hub {

namespace {

constexpr std::string_view kTooManyChannels = "the pattern matches too many channels";
constexpr std::string_view kTooManySubscriptions =
    "more subscriptions at once than the server allows (subscription_count_max)";

constexpr std::string_view kTooManyPositions =
    "too many positions of wildcards that still look for channels: subscribe when they are ready";

std::expected<Offset, ErrorCode> checked(std::uint64_t asked, const wire::Subscribe& request,
                                         Offset end) {
  if (asked <= end.value()) return Offset(asked);
  // Of many channels some may well be shorter; there it begins with what comes.
  if (request.pattern.has_wildcard()) return end;
  return std::unexpected(ErrorCode::kStartUnavailable);
}

// Where a subscription begins in a channel; its positions are in the order of names. spec:
// SUBSCRIBE-4
std::expected<Offset, ErrorCode> start_in(const Channel& channel, const wire::Subscribe& request) {
  const Offset end = channel.index().next_offset();
  const auto known = std::ranges::lower_bound(request.positions, channel.name(), {},
                                              &wire::SubscribePosition::channel);
  if (known != request.positions.end() && known->channel == channel.name()) {
    const bool same =
        known->epoch == channel.epoch() || base::planted(base::PlantedBug::kEpochIsIgnored);
    if (!same) return Offset(0);  // a new life: all of it is news
    return checked(known->next.value(), request, end);
  }
  switch (request.start.kind) {
    case StartPosition::Kind::kLive:
      return end;
    case StartPosition::Kind::kLatest:
      return channel.newest_kept(1);
    case StartPosition::Kind::kLast:
      return channel.newest_kept(request.start.value);
    case StartPosition::Kind::kOffset:
      return checked(request.start.value, request, end);
    case StartPosition::Kind::kStart:
      return channel.first_kept();
  }
  ORZATTY_UNREACHABLE();
}

}  // namespace

// spec: SUBSCRIBE-1
void Subscribing::subscribe(Peer& peer, wire::Subscribe request) {
  session::SessionCore& core = peer.session.core();
  // spec: STREAM-7
  if (request.subscription.value() < peer.next_subscription ||
      peer.find_delivery(request.subscription) != nullptr) {
    return core.fail({ErrorCode::kFrameUnexpected, "a subscription twice, or out of order"});
  }
  peer.next_subscription = request.subscription.value() + 1;
  // spec: STREAM-9
  if (peer.deliveries().size() >= state_.config.limits.subscription_count_max) {
    return peer.session.ended(request.subscription, ErrorCode::kLimitExceeded,
                              kTooManySubscriptions);
  }
  // Of a channel that is named twice the first counts.
  std::ranges::stable_sort(request.positions, {}, &wire::SubscribePosition::channel);
  if (request.pattern.has_wildcard()) {
    subscribe_to_many(peer, std::move(request));
  } else {
    subscribe_to_one(peer, request);
  }
}

void Subscribing::subscribe_to_many(Peer& peer, wire::Subscribe request) {
  if (peer.waiting_positions + request.positions.size() > kWaitingPositionsMax) {
    return peer.session.ended(request.subscription, ErrorCode::kLimitExceeded, kTooManyPositions);
  }
  peer.waiting_positions += request.positions.size();
  Delivery& delivery = add(peer, request);
  wildcards_.add(delivery);
  delivery.seen.emplace();
  scans_.push_back({peer.key, std::move(request)});
  use_up_work();
}

void Subscribing::subscribe_to_one(Peer& peer, const wire::Subscribe& request) {
  const auto refuse = [&](ErrorCode code) {
    peer.session.ended(request.subscription, code, advice(code));
  };
  if (request.pattern.text().size() > state_.config.limits.channel_name_size_max) {
    return refuse(ErrorCode::kNameInvalid);
  }
  // It exists from now on, so that "live" means from now on.
  Channel* const channel = find_or_make(*ChannelName::parse(request.pattern.text()));
  if (channel == nullptr) return refuse(ErrorCode::kChannelLimit);
  const auto start = start_in(*channel, request);
  if (!start) {
    refuse(start.error());
    return tend(*channel);
  }
  peer.session.subscribed(request.subscription, 1);
  attach(add(peer, request), *channel, *start);
}

Delivery& Subscribing::add(Peer& peer, const wire::Subscribe& request) {
  ++state_.counters.subscriptions;
  return peer.add_delivery(request.subscription, request.pattern);
}

void Subscribing::look_on() {
  work_left_ = kTurnWork;
  use_up_work();
}

// One after the other: who comes later waits for a turn that has work left.
void Subscribing::use_up_work() {
  while (!scans_.empty() && work_left_ > 0) {
    Scan scan = std::move(scans_.front());
    scans_.pop_front();
    if (!look_on(scan)) {
      scans_.push_back(std::move(scan));
    } else if (Peer* const peer = state_.find(scan.peer)) {
      peer->waiting_positions -= scan.request.positions.size();
    }
  }
}

// spec: SUBSCRIBE-1
bool Subscribing::look_on(const Scan& scan) {
  const SubscriptionId id = scan.request.subscription;
  Peer* const peer = state_.find(scan.peer);
  Delivery* const delivery = peer == nullptr ? nullptr : peer->find_delivery(id);
  if (delivery == nullptr) return true;  // ended meanwhile
  const std::size_t count_max = state_.config.limits.subscription_channel_count_max;
  bool full = false;
  delivery->seen = channels_.look_on(scan.request.pattern, std::move(*delivery->seen), work_left_,
                                     [&](Channel& channel) {
                                       full = delivery->readers().size() == count_max;
                                       if (full) return false;
                                       attach(*delivery, channel, *start_in(channel, scan.request));
                                       work_left_ -= std::min(work_left_, kStartWork);
                                       return true;
                                     });
  state_.attend(*peer);
  if (full) {
    end(*peer, id, ErrorCode::kLimitExceeded, kTooManyChannels);
    return true;
  }
  if (delivery->seen) return false;
  peer->session.subscribed(id, delivery->readers().size());
  return true;
}

void Subscribing::attach(Delivery& delivery, Channel& channel, Offset start) {
  Peer& peer = *state_.find(delivery.peer());
  peer.add_reader(delivery, channel, start);
  peer.session.core().sends().set_priority(delivery.stream(), delivery.priority());
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
    if (delivery->seen && *delivery->seen < channel.name().text()) continue;
    if (delivery->readers().size() < state_.config.limits.subscription_channel_count_max) {
      attach(*delivery, channel, Offset(0));
    } else {
      full.emplace_back(delivery->peer(), delivery->id());
    }
  }
  for (const auto& [key, id] : full) {
    end(*state_.find(key), id, ErrorCode::kLimitExceeded, kTooManyChannels);
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
    if (owed->ack) {
      peer->session.accepted(*owed->ack, owed->size, owed->nonce, state_.now);
      state_.attend(*peer);
    }
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
  if (base::planted(base::PlantedBug::kSlowIsNotEnded)) return;
  const std::string text = "resume " + std::string(reader.channel().name().text()) + " at offset " +
                           std::to_string(reader.next().value());
  end(*state_.find(reader.delivery().peer()), reader.delivery().id(), ErrorCode::kSlowSubscriber,
      text);
}

// spec: RESUME-3
wire::Subscribe Subscribing::request_to_go_on(const Delivery& delivery) const {
  // A channel that comes while the client is away is seen from its first message on.
  wire::Subscribe request{.subscription = delivery.id(),
                          .pattern = delivery.pattern(),
                          .start = StartPosition::at(Offset(0)),
                          .positions = {}};
  for (const auto& reader : delivery.readers()) {
    const Channel& channel = reader->channel();
    request.positions.push_back({channel.name(), channel.epoch(), reader->consumed});
  }
  const auto scan = std::ranges::find_if(scans_, [&](const Scan& one) {
    return one.peer == delivery.peer() && one.request.subscription == delivery.id();
  });
  if (scan == scans_.end()) return request;
  // It had not looked at all channels: of the others it knows what was asked for.
  request.start = scan->request.start;
  request.positions.insert(request.positions.end(), scan->request.positions.begin(),
                           scan->request.positions.end());
  return request;
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

// What it looked for is not looked for any more, or a peer could queue up endless work by ending
// what it just began.
void Subscribing::stop_looking(Peer& peer, const Delivery& delivery) {
  const auto scan = std::ranges::find_if(scans_, [&](const Scan& one) {
    return one.peer == peer.key && one.request.subscription == delivery.id();
  });
  if (scan == scans_.end()) return;
  peer.waiting_positions -= scan->request.positions.size();
  scans_.erase(scan);
}

void Subscribing::detach(Peer& peer, Delivery& delivery) {
  if (delivery.seen) stop_looking(peer, delivery);
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
    if (reader == nullptr || position.next > reader->next()) continue;
    reader->consumed = std::max(reader->consumed, position.next);
  }
}

void Subscribing::written(Peer& peer) {
  state_.counters.messages_out += std::exchange(peer.counters.messages, 0);
  state_.counters.bytes_out += std::exchange(peer.counters.bytes, 0);
  state_.counters.missed += std::exchange(peer.counters.missed, 0);
  state_.counters.datagrams_lost += std::exchange(peer.datagrams_lost, 0);
  while (!peer.channels_read.empty()) {
    Channel& channel = *peer.channels_read.back();
    peer.channels_read.pop_back();
    tend(channel);
  }
  for (const Failure& failure : peer.failures) {
    if (peer.find_delivery(failure.subscription) == nullptr) continue;
    end(peer, failure.subscription, failure.code, failure.text);
  }
  peer.failures.clear();
}

}  // namespace orzatty::hub
