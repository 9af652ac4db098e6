#include "hub/hub.h"

#include <algorithm>
#include <map>

#include "base/assert.h"
#include "base/prng.h"
#include "base/ring.h"
#include "base/timer_queue.h"
#include "hub/channel.h"
#include "hub/delivery.h"
#include "hub/peer.h"
#include "orzatty/version.h"
#include "wire/message.h"

namespace orzatty::hub {

namespace {

constexpr std::string_view kServerIdentity = "$server";
// How often retention by age is looked at: ages are in seconds and more.
constexpr Duration kRetentionEvery = std::chrono::milliseconds(100);

bool has_age(const ChannelConfig& config) { return config.retention.age != Duration::zero(); }

}  // namespace

class Hub::Parts {
 public:
  Parts(HubConfig given, std::uint64_t seed, Instant now)
      : config(std::move(given)),
        prng(seed),
        pool(config.limits.hub_size_max, config.limits.segment_keep_max),
        ages(std::ranges::any_of(config.rules, has_age, &ChannelRule::config) ||
             has_age(config.channel_default)),
        retention_at(now + kRetentionEvery) {
    prng.fill(server_producer.bytes);
  }

  // ---- Peers.
  void attend(Peer& peer);    // its session may have outputs
  void mark_ready(Peer& peer);
  void set_timer(Peer& peer) { timers.set(peer.key.slot, peer.session.next_timeout()); }
  void lose(Peer& peer, Instant now);
  [[nodiscard]] std::optional<HubOutput> poll();
  [[nodiscard]] std::optional<HubOutput> dispatch(Peer& peer, session::ServerOutput& output);

  // ---- Publishing.
  void open_publication(Peer& peer, const session::PublicationOpened& opened);
  void join_channel(Peer& peer, Publication& publication, const wire::Publish& publish);
  [[nodiscard]] std::optional<HubOutput> take_messages(Peer& peer,
                                                       const session::PublicationMessages& given);
  [[nodiscard]] std::optional<HubOutput> hand_to_handler(
      Peer& peer, Publication& publication, const session::PublicationMessages& given);
  void store(Peer& peer, Publication& publication, const session::PublicationMessages& given);
  void settle_handed();
  void take_skip(Peer& peer, const session::PublicationSkipped& skipped);

  // ---- Channels.
  [[nodiscard]] Channel* find_channel(std::string_view name);
  [[nodiscard]] Channel* find_or_make(const ChannelName& name);
  void announce(Channel& channel);
  void wake_readers(Channel& channel);
  void pay_debts(Channel& channel);
  // After a reader left: others may be owed, memory may go, and the channel itself if it is unused.
  void reader_left(Channel& channel);

  // ---- Subscribing.
  void subscribe(Peer& peer, const wire::Subscribe& request);
  void attach(Delivery& delivery, Channel& channel, Offset start);
  void unsubscribe(Peer& peer, SubscriptionId id);
  void give_up(Peer& peer);
  void consumed(Peer& peer, const wire::Consumed& consumed);

  HubConfig config;
  base::Prng prng;
  base::SegmentPool pool;
  std::map<std::string, std::unique_ptr<Channel>, std::less<>> channels;
  std::map<std::string, std::size_t, std::less<>> handlers;  // endpoints
  std::vector<Delivery*> wildcards;                          // subscriptions that channels may join
  base::Slab<Peer> peers;
  base::TimerQueue timers;  // by slot of the peer
  std::vector<PeerKey> slots;
  base::Ring<HubOutput> outputs;
  base::Ring<PeerKey> attention;
  std::vector<PeerKey> ready;
  std::vector<ChannelReader*> waking;  // reused
  Instant time;                        // of what is being handled
  bool ages;  // some channel lets go of messages by their age
  Instant retention_at;
  HubCounters counters;
  ProducerId server_producer;

  // Messages that a handler is looking at: accepted when it is done. spec: PUBLISH-4
  struct Handed {
    PeerKey peer;
    session::RemoteStream stream;
    wire::AckRun run;
    std::uint64_t bytes = 0;
    std::uint32_t nonce = 0;
  };
  std::optional<Handed> handed;
};

// ---- Peers.

void Hub::Parts::attend(Peer& peer) {
  mark_ready(peer);
  if (std::exchange(peer.lined_up, true)) return;
  attention.push_back(peer.key);
}

void Hub::Parts::mark_ready(Peer& peer) {
  if (std::exchange(peer.ready, true)) return;
  ready.push_back(peer.key);
}

std::optional<HubOutput> Hub::Parts::poll() {
  settle_handed();
  while (true) {
    if (!outputs.empty()) return outputs.pop_front();
    if (attention.empty()) return std::nullopt;
    Peer* const peer = peers.find(attention.front());
    auto output = peer == nullptr ? std::nullopt : peer->session.poll();
    if (output) {
      if (auto borrowed = dispatch(*peer, *output)) return borrowed;
      continue;
    }
    attention.pop_front();
    if (peer == nullptr) continue;
    peer->lined_up = false;
    set_timer(*peer);
  }
}

std::optional<HubOutput> Hub::Parts::dispatch(Peer& peer, session::ServerOutput& output) {
  if (const auto* messages = std::get_if<session::PublicationMessages>(&output)) {
    return take_messages(peer, *messages);
  }
  if (const auto* opened = std::get_if<session::PublicationOpened>(&output)) {
    open_publication(peer, *opened);
  } else if (const auto* subscription = std::get_if<session::SubscribeRequested>(&output)) {
    subscribe(peer, subscription->subscribe);
  } else if (const auto* ended = std::get_if<session::UnsubscribeRequested>(&output)) {
    unsubscribe(peer, ended->subscription);
  } else if (const auto* positions = std::get_if<session::PositionsConsumed>(&output)) {
    consumed(peer, positions->consumed);
  } else if (const auto* skipped = std::get_if<session::PublicationSkipped>(&output)) {
    take_skip(peer, *skipped);
  } else if (const auto* closed = std::get_if<session::PublicationClosed>(&output)) {
    peer.publications.erase(closed->publication.value());
  } else if (auto* hello = std::get_if<session::HelloReceived>(&output)) {
    peer.versions = hello->hello.versions;
    return AuthenticationNeeded{peer.key, std::move(hello->hello)};
  } else if (auto* transport = std::get_if<session::CloseTransport>(&output)) {
    return TransportClosed{peer.key, transport->code, std::move(transport->text)};
  }
  return std::nullopt;
}

void Hub::Parts::lose(Peer& peer, Instant now) {
  time = now;
  std::erase_if(wildcards, [&](const Delivery* delivery) { return delivery->peer() == peer.key; });
  if (!peer.identity.empty()) {
    --counters.peers;
    outputs.push_back(PeerLeft{peer.key, peer.identity, peer.session.core().close_code()});
  }
  counters.subscriptions -= peer.subscription_count();
  std::vector<Channel*> channels_read;
  peer.for_each_reader([&](ChannelReader& reader) { channels_read.push_back(&reader.channel()); });
  timers.set(peer.key.slot, std::nullopt);
  peers.erase(peer.key);
  std::ranges::sort(channels_read, {}, [](const Channel* channel) { return channel->name(); });
  const auto twice = std::ranges::unique(channels_read);
  channels_read.erase(twice.begin(), twice.end());
  for (Channel* channel : channels_read) reader_left(*channel);
}

// ---- Publishing.

void Hub::Parts::open_publication(Peer& peer, const session::PublicationOpened& opened) {
  const wire::Publish& publish = opened.publish;
  const auto [entry, is_new] = peer.publications.try_emplace(publish.publication.value());
  // spec: STREAM-7
  if (!is_new) {
    return peer.session.core().fail({ErrorCode::kFrameUnexpected, "a publication twice"});
  }
  Publication& publication = entry->second;
  publication.name = publish.channel.text();
  publication.epoch = publish.epoch;
  publication.next = publish.next;
  const auto handler = handlers.find(publish.channel.text());
  if (handler != handlers.end()) {
    publication.handler = handler->second;
  } else if (publish.channel.reserved()) {
    publication.refused = ErrorCode::kNotAuthorised;  // spec: NAME-3
  } else if (Channel* channel = find_or_make(publish.channel)) {
    publication.channel = channel;
    join_channel(peer, publication, publish);
  } else {
    publication.refused = ErrorCode::kChannelLimit;
  }
  // spec: PUBLISH-7
  peer.session.accepted({.publication = publish.publication,
                         .first = publication.channel == nullptr
                                      ? publication.next
                                      : publication.channel->producer(publication.producer).next,
                         .count = 0,
                         .first_offset = {},
                         .duplicate = false},
                        0, 0, time);
}

void Hub::Parts::join_channel(Peer& peer, Publication& publication, const wire::Publish& publish) {
  const auto known = publication.channel->find_or_add(
      publish.producer, peer.identity,
      [this](PeerKey owner) { return peers.find(owner) == nullptr; });
  if (!known) {
    publication.channel = nullptr;
    publication.refused = ErrorCode::kLimitExceeded;
    return;
  }
  publication.producer = known->number;
  Producer& producer = publication.channel->producer(known->number);
  if (known->is_new) {
    producer.next = publish.next;
    producer.epoch = publish.epoch;
  }
  // spec: PUBLISH-3
  if (publish.epoch < producer.epoch || producer.identity != peer.identity) {
    return peer.session.close(ErrorCode::kFenced, "FENCED: a newer epoch of this producer is at work");
  }
  Peer* const older = peers.find(producer.owner);
  if (publish.epoch > producer.epoch && older != nullptr && older != &peer) {
    older->session.close(ErrorCode::kFenced, "FENCED: a newer epoch of this producer is at work");
    attend(*older);
  }
  producer.epoch = publish.epoch;
  producer.owner = peer.key;
  // spec: STREAM-5
  if (publish.next > producer.next) {
    peer.session.core().fail({ErrorCode::kSequenceInvalid, "PUBLISH leaves out messages"});
  }
}

std::optional<HubOutput> Hub::Parts::take_messages(Peer& peer,
                                                   const session::PublicationMessages& given) {
  const auto found = peer.publications.find(given.publication.value());
  if (found == peer.publications.end()) return std::nullopt;  // its session is closing
  Publication& publication = found->second;
  counters.messages_in += given.count;
  counters.bytes_in += given.frames.size();
  if (publication.refused != ErrorCode::kNone) {
    counters.rejected += given.count;
    peer.session.rejected(given.publication, given.first, given.first + given.count,
                          publication.refused, advice(publication.refused));
    peer.session.core().consumed(given.stream, given.frames.size());
    return std::nullopt;
  }
  if (publication.handler) return hand_to_handler(peer, publication, given);
  store(peer, publication, given);
  return std::nullopt;
}

std::optional<HubOutput> Hub::Parts::hand_to_handler(Peer& peer, Publication& publication,
                                                     const session::PublicationMessages& given) {
  handed = Handed{.peer = peer.key,
                  .stream = given.stream,
                  .run = {.publication = given.publication,
                          .first = given.first,
                          .count = given.count,
                          .first_offset = Offset(given.first.value()),
                          .duplicate = false},
                  .bytes = given.frames.size(),
                  .nonce = given.nonce};
  publication.next = given.first + given.count;
  return HandlerMessages{.peer = peer.key,
                         .handler = *publication.handler,
                         .channel = publication.name,
                         .publisher = peer.identity,
                         .first = given.first,
                         .count = given.count,
                         .frames = given.frames};
}

void Hub::Parts::settle_handed() {
  if (!handed) return;
  if (Peer* const peer = peers.find(handed->peer)) {
    peer->session.accepted(handed->run, handed->bytes, handed->nonce, time);
    peer->session.core().consumed(handed->stream, handed->bytes);
  }
  handed.reset();
}

// spec: PUBLISH-1, PUBLISH-2
void Hub::Parts::store(Peer& peer, Publication& publication,
                       const session::PublicationMessages& given) {
  Channel& channel = *publication.channel;
  Producer& producer = channel.producer(publication.producer);
  Sequence first = given.first;
  std::uint64_t count = given.count;
  BytesView frames = given.frames;
  if (first < producer.next) {
    const std::uint64_t known = std::min<std::uint64_t>(producer.next - first, count);
    const auto offset = channel.index().find(publication.producer, first);
    peer.session.accepted({.publication = given.publication,
                           .first = first,
                           .count = known,
                           .first_offset = offset.value_or(Offset(0)),
                           .duplicate = true},
                          0, given.nonce, time);
    counters.duplicates += known;
    auto message = wire::MessageRange(frames).begin();
    std::size_t known_bytes = 0;
    for (std::uint64_t i = 0; i < known; ++i, ++message) known_bytes += message->frame_size;
    peer.session.core().consumed(given.stream, known_bytes);
    frames = frames.subspan(known_bytes);
    first += known;
    count -= known;
    if (count == 0) return;
  }
  const Offset offset = channel.index().next_offset();
  if (!channel.append(publication.producer, first, count, frames, time)) {
    producer.next = first + count;
    counters.rejected += count;
    peer.session.rejected(given.publication, first, first + count, ErrorCode::kOverloaded,
                          advice(ErrorCode::kOverloaded));
    return peer.session.core().consumed(given.stream, frames.size());
  }
  producer.next = first + count;
  peer.session.accepted({.publication = given.publication,
                         .first = first,
                         .count = count,
                         .first_offset = offset,
                         .duplicate = false},
                        frames.size(), given.nonce, time);
  channel.owe({peer.key, given.stream, frames.size(), channel.end().position});
  wake_readers(channel);
  pay_debts(channel);
  channel.trim(time);
}

void Hub::Parts::take_skip(Peer& peer, const session::PublicationSkipped& skipped) {
  const auto found = peer.publications.find(skipped.publication.value());
  if (found == peer.publications.end() || found->second.channel == nullptr) return;
  Producer& producer = found->second.channel->producer(found->second.producer);
  producer.next = std::max(producer.next, skipped.to);
}

// ---- Channels.

Channel* Hub::Parts::find_channel(std::string_view name) {
  const auto found = channels.find(name);
  return found == channels.end() ? nullptr : found->second.get();
}

Channel* Hub::Parts::find_or_make(const ChannelName& name) {
  if (Channel* known = find_channel(name.text())) return known;
  if (channels.size() >= config.limits.channel_count_max) return nullptr;
  const auto rule = std::ranges::find_if(
      config.rules, [&](const ChannelRule& candidate) { return candidate.pattern.matches(name); });
  const ChannelConfig& properties =
      rule == config.rules.end() ? config.channel_default : rule->config;
  auto made = std::make_unique<Channel>(name, ChannelEpoch(prng.next()), properties,
                                        config.limits.channel_size_max, pool);
  Channel& channel = *made;
  channels.emplace(std::string(name.text()), std::move(made));
  counters.channels = channels.size();
  announce(channel);
  return &channel;
}

// spec: SUBSCRIBE-5
void Hub::Parts::announce(Channel& channel) {
  for (Delivery* delivery : wildcards) {
    if (delivery->pattern().matches(channel.name())) attach(*delivery, channel, Offset(0));
  }
}

void Hub::Parts::wake_readers(Channel& channel) {
  waking.clear();
  waking.swap(channel.waiters());
  for (ChannelReader* reader : waking) {
    Delivery& delivery = reader->delivery();
    delivery.line_up(*reader);
    Peer* const peer = peers.find(delivery.peer());
    peer->session.core().sends().wake(delivery.stream());
    mark_ready(*peer);
  }
}

// spec: CREDIT-2, CREDIT-3
void Hub::Parts::pay_debts(Channel& channel) {
  while (const auto owed = channel.pay()) {
    if (Peer* const peer = peers.find(owed->peer)) {
      peer->session.core().consumed(owed->stream, owed->size);
      mark_ready(*peer);
    }
  }
}

void Hub::Parts::reader_left(Channel& channel) {
  pay_debts(channel);
  channel.trim(time);
  if (!channel.unused()) return;
  channels.erase(channels.find(channel.name().text()));
  counters.channels = channels.size();
}

// ---- Subscribing.

void Hub::Parts::attach(Delivery& delivery, Channel& channel, Offset start) {
  delivery.add(channel, start);
  Peer* const peer = peers.find(delivery.peer());
  peer->session.core().sends().wake(delivery.stream());
  mark_ready(*peer);
}

namespace {

// What every matching name begins with.
std::string_view literal_prefix(const ChannelPattern& pattern) {
  return pattern.text().substr(0, pattern.text().find_first_of("*>"));
}

// Where a subscription begins in a channel. spec: SUBSCRIBE-4
std::expected<Offset, ErrorCode> start_in(const Channel& channel, const wire::Subscribe& request) {
  const base::RunIndex& index = channel.index();
  for (const wire::SubscribePosition& position : request.positions) {
    if (position.channel != channel.name()) continue;
    if (position.epoch != channel.epoch()) return Offset(0);  // a new life: all of it is news
    if (position.next > index.next_offset()) return std::unexpected(ErrorCode::kStartUnavailable);
    return position.next;
  }
  const std::uint64_t next = index.next_offset().value();
  const std::uint64_t first = index.first_offset().value();
  switch (request.start.kind) {
    case StartPosition::Kind::kLive: return index.next_offset();
    case StartPosition::Kind::kLatest: return Offset(next > first ? next - 1 : next);
    case StartPosition::Kind::kLast:
      return Offset(std::max(first, next - std::min(request.start.value, next)));
    case StartPosition::Kind::kOffset:
      if (request.start.value > next) return std::unexpected(ErrorCode::kStartUnavailable);
      return Offset(request.start.value);
    case StartPosition::Kind::kStart: return index.first_offset();
  }
  ORZATTY_UNREACHABLE();
}

}  // namespace

// spec: SUBSCRIBE-1
void Hub::Parts::subscribe(Peer& peer, const wire::Subscribe& request) {
  if (peer.find_delivery(request.subscription) != nullptr) {
    return peer.session.core().fail({ErrorCode::kFrameUnexpected, "a subscription twice"});
  }
  // spec: STREAM-9
  if (peer.subscription_count() >= config.limits.subscription_count_max) {
    return peer.session.core().fail({ErrorCode::kLimitExceeded, "too many subscriptions"});
  }
  ErrorCode code = ErrorCode::kNone;
  std::vector<std::pair<Channel*, Offset>> starts;
  const auto consider = [&](Channel& channel) {
    const auto start = start_in(channel, request);
    if (start) starts.emplace_back(&channel, *start);
    return start.has_value();
  };
  if (request.pattern.has_wildcard()) {
    const std::string_view prefix = literal_prefix(request.pattern);
    for (auto at = channels.lower_bound(prefix); at != channels.end(); ++at) {
      const auto& channel = at->second;
      if (!channel->name().text().starts_with(prefix)) break;
      if (!request.pattern.matches(channel->name())) continue;
      if (!consider(*channel)) code = ErrorCode::kStartUnavailable;
      if (starts.size() > config.limits.subscription_channel_count_max) {
        code = ErrorCode::kLimitExceeded;
        break;
      }
    }
  } else {
    Channel* const channel = find_or_make(*ChannelName::parse(request.pattern.text()));
    if (channel == nullptr) {
      code = ErrorCode::kChannelLimit;
    } else if (!consider(*channel)) {
      code = ErrorCode::kStartUnavailable;
    }
  }
  if (code != ErrorCode::kNone) return peer.session.ended(request.subscription, code, advice(code));
  peer.session.subscribed(request.subscription);
  Delivery& delivery = peer.add_delivery(request.subscription, request.pattern);
  ++counters.subscriptions;
  if (request.pattern.has_wildcard()) wildcards.push_back(&delivery);
  for (const auto& [channel, start] : starts) attach(delivery, *channel, start);
}

// spec: SUBSCRIBE-6
void Hub::Parts::unsubscribe(Peer& peer, SubscriptionId id) {
  Delivery* const delivery = peer.find_delivery(id);
  if (delivery == nullptr) return;  // ended from this side at the same moment
  std::vector<Channel*> channels_read;
  for (const auto& reader : delivery->readers()) channels_read.push_back(&reader->channel());
  std::erase(wildcards, delivery);
  peer.remove_delivery(id);
  --counters.subscriptions;
  peer.session.ended(id, ErrorCode::kNone, "");
  mark_ready(peer);
  for (Channel* channel : channels_read) reader_left(*channel);
}

// A channel's policy ends a subscription that fell behind.
void Hub::Parts::give_up(Peer& peer) {
  const auto [id, reader] = *std::exchange(peer.given_up, std::nullopt);
  const std::string text = "resume " + std::string(reader->channel().name().text()) +
                           " at offset " + std::to_string(reader->next().value());
  outputs.push_back(SubscriberSlow{peer.identity, std::string(reader->channel().name().text()),
                                   SlowPolicy::kDisconnect});
  std::erase(wildcards, peer.find_delivery(id));
  peer.remove_delivery(id);
  --counters.subscriptions;
  peer.session.ended(id, ErrorCode::kSlowSubscriber, text);
}

void Hub::Parts::consumed(Peer& peer, const wire::Consumed& consumed) {
  for (const wire::ConsumedPosition& position : consumed.positions) {
    Delivery* const delivery = peer.find_delivery(position.subscription);
    ChannelReader* const reader = delivery == nullptr ? nullptr : delivery->find(position.alias);
    if (reader != nullptr && position.next <= reader->next()) reader->consumed = position.next;
  }
}

// ---- The door.

Hub::Hub(HubConfig config, std::uint64_t seed, Instant now)
    : parts_(std::make_unique<Parts>(std::move(config), seed, now)) {}
Hub::~Hub() = default;

PeerKey Hub::open_peer(Instant now) {
  Parts& parts = *parts_;
  const PeerKey key = parts.peers.insert_with([&](PeerKey made) {
    return std::make_unique<Peer>(made, parts.config.limits, parts.prng.next(), now);
  });
  if (parts.slots.size() <= key.slot) parts.slots.resize(key.slot + 1);
  parts.slots[key.slot] = key;
  parts.set_timer(*parts.peers.find(key));
  return key;
}

void Hub::lose_peer(PeerKey peer, Instant now) {
  if (Peer* const known = parts_->peers.find(peer)) parts_->lose(*known, now);
}

void Hub::handle_control(PeerKey peer, BytesView bytes, session::Fin fin, Instant now) {
  parts_->time = now;
  Peer* const known = parts_->peers.find(peer);
  if (known == nullptr) return;
  known->session.handle_control(bytes, fin, now);
  parts_->attend(*known);
}

void Hub::handle_stream(PeerKey peer, session::RemoteStream stream, BytesView bytes,
                        session::Fin fin, Instant now) {
  parts_->time = now;
  Peer* const known = parts_->peers.find(peer);
  if (known == nullptr) return;
  known->session.handle_stream(stream, bytes, fin, now);
  parts_->attend(*known);
}

void Hub::handle_stream_reset(PeerKey peer, session::RemoteStream stream, Instant now) {
  parts_->time = now;
  Peer* const known = parts_->peers.find(peer);
  if (known == nullptr) return;
  known->session.handle_stream_reset(stream);
  parts_->attend(*known);
}

void Hub::handle_timeout(Instant now) {
  Parts& parts = *parts_;
  parts.time = now;
  while (const auto slot = parts.timers.pop_due(now)) {
    Peer* const peer = parts.peers.find(parts.slots[*slot]);
    if (peer == nullptr) continue;
    peer->session.handle_timeout(now);
    parts.attend(*peer);
  }
  if (!parts.ages || now < parts.retention_at) return;
  parts.retention_at = now + kRetentionEvery;
  for (const auto& [text, channel] : parts.channels) {
    if (channel->next_expiry()) channel->trim(now);
  }
}

std::optional<Instant> Hub::next_timeout() const {
  const auto peers = parts_->timers.next();
  if (!parts_->ages) return peers;
  return peers ? std::min(*peers, parts_->retention_at) : parts_->retention_at;
}

std::optional<HubOutput> Hub::poll() { return parts_->poll(); }

// spec: SESSION-4
void Hub::admit(PeerKey peer, std::string identity, const SessionId& session, Instant now) {
  Parts& parts = *parts_;
  Peer* const known = parts.peers.find(peer);
  if (known == nullptr) return;
  parts.attend(*known);
  if (std::ranges::find(known->versions, kProtocolVersion) == known->versions.end()) {
    return known->session.close(ErrorCode::kVersionUnsupported,
                                "VERSION_UNSUPPORTED: this server speaks orzatty/1");
  }
  known->identity = std::move(identity);
  ++parts.counters.peers;
  const Limits& limits = parts.config.limits;
  const auto ms = [](Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
  };
  known->session.welcome({.version = kProtocolVersion,
                          .features = 0,
                          .session = session,
                          .resumed = false,
                          .identity = known->identity,
                          .message_size_max = limits.message_size_max,
                          .heartbeat_interval = ms(limits.heartbeat_interval),
                          .dead_after = ms(limits.dead_after),
                          .producers = {}},
                         now);
  parts.outputs.push_back(PeerJoined{peer, known->identity});
}

void Hub::refuse(PeerKey peer, ErrorCode code, std::string_view text, Instant now) {
  close_peer(peer, code, text, now);
}

void Hub::close_peer(PeerKey peer, ErrorCode code, std::string_view text, Instant now) {
  parts_->time = now;
  Peer* const known = parts_->peers.find(peer);
  if (known == nullptr) return;
  known->session.close(code, text);
  parts_->attend(*known);
}

// spec: SESSION-10
void Hub::drain(Duration time_left, std::string_view text) {
  parts_->peers.for_each([&](PeerKey, Peer& peer) {
    if (!peer.session.open()) return;
    peer.session.drain(time_left, text);
    parts_->mark_ready(peer);
  });
}

void Hub::handle_channel(const ChannelName& channel, std::size_t handler) {
  parts_->handlers[std::string(channel.text())] = handler;
}

ErrorCode Hub::send_direct(PeerKey peer, const ChannelName& channel, MessageType type,
                           BytesView payload) {
  Parts& parts = *parts_;
  if (payload.size() > parts.config.limits.message_size_max) return ErrorCode::kMessageTooLarge;
  Peer* const known = parts.peers.find(peer);
  if (known == nullptr || !known->session.open()) return ErrorCode::kClosedByUser;
  DirectLog& log = known->direct_log(channel, parts.config.limits.outbox_size_max);
  if (!log.append(type, payload)) return ErrorCode::kOverloaded;
  known->session.core().sends().wake(log.stream());
  parts.mark_ready(*known);
  return ErrorCode::kNone;
}

ErrorCode Hub::publish(const ChannelName& name, MessageType type, BytesView payload, Instant now) {
  Parts& parts = *parts_;
  parts.time = now;
  if (payload.size() > parts.config.limits.message_size_max) return ErrorCode::kMessageTooLarge;
  Channel* const channel = parts.find_or_make(name);
  if (channel == nullptr) return ErrorCode::kChannelLimit;
  if (channel->overfull()) return ErrorCode::kOverloaded;  // a subscriber is waited for
  const auto known = channel->find_or_add(parts.server_producer, kServerIdentity,
                                          [](PeerKey) { return false; });
  if (!known) return ErrorCode::kLimitExceeded;
  Producer& producer = channel->producer(known->number);
  Bytes frame(16);
  frame.resize(wire::encode_message_header(std::span<std::byte, 16>(frame), type, payload.size()));
  frame.insert(frame.end(), payload.begin(), payload.end());
  if (!channel->append(known->number, producer.next, 1, frame, now)) return ErrorCode::kOverloaded;
  producer.next += 1;
  ++parts.counters.messages_in;
  parts.counters.bytes_in += frame.size();
  parts.wake_readers(*channel);
  channel->trim(now);
  return ErrorCode::kNone;
}

bool Hub::has_peer(PeerKey peer) const { return parts_->peers.find(peer) != nullptr; }

session::SendTable& Hub::sends(PeerKey peer) {
  return parts_->peers.find(peer)->session.core().sends();
}

session::Refill& Hub::source(PeerKey peer) { return *parts_->peers.find(peer); }

std::vector<session::Credit>& Hub::credits(PeerKey peer) {
  return parts_->peers.find(peer)->session.core().credits();
}

void Hub::flush(PeerKey peer, Instant now) {
  Peer& known = *parts_->peers.find(peer);
  known.session.flush(now);
  parts_->set_timer(known);
}

void Hub::written(PeerKey peer, Instant now) {
  Parts& parts = *parts_;
  Peer& known = *parts.peers.find(peer);
  parts.time = now;
  parts.counters.messages_out += std::exchange(known.counters.messages, 0);
  parts.counters.bytes_out += std::exchange(known.counters.bytes, 0);
  parts.counters.missed += std::exchange(known.counters.missed, 0);
  for (Channel* channel : known.channels_read) {
    parts.pay_debts(*channel);
    channel->trim(now);
  }
  known.channels_read.clear();
  for (auto& [channel, policy] : known.slow) {
    parts.outputs.push_back(SubscriberSlow{known.identity, std::move(channel), policy});
  }
  known.slow.clear();
  if (known.given_up) parts.give_up(known);
}

void Hub::acked(PeerKey peer, session::StreamKey stream, std::uint64_t size, Instant) {
  Peer* const known = parts_->peers.find(peer);
  if (known == nullptr) return;
  known->session.core().sends().acked(stream, size);
}

void Hub::stream_closed(PeerKey peer, session::StreamKey stream, Instant) {
  Peer* const known = parts_->peers.find(peer);
  if (known != nullptr) known->session.core().sends().release(stream);
}

void Hub::take_ready(std::vector<PeerKey>& into) {
  for (const PeerKey key : parts_->ready) {
    Peer* const peer = parts_->peers.find(key);
    if (peer == nullptr) continue;
    peer->ready = false;
    into.push_back(key);
  }
  parts_->ready.clear();
}

std::string_view Hub::identity(PeerKey peer) const {
  const Peer* const known = parts_->peers.find(peer);
  return known == nullptr ? std::string_view() : std::string_view(known->identity);
}

const HubCounters& Hub::counters() const { return parts_->counters; }

}  // namespace orzatty::hub
