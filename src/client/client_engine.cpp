#include "client/client_engine.h"

#include <algorithm>
#include <map>

#include "base/assert.h"
#include "base/ring.h"
#include "client/backoff.h"
#include "client/publication.h"
#include "client/subscription.h"
#include "orzatty/version.h"
#include "session/governor.h"

namespace orzatty::client {

namespace {

// Asking again would give the same answer.
bool is_final(ErrorCode code) {
  switch (code) {
    case ErrorCode::kAuthenticationFailed:
    case ErrorCode::kVersionUnsupported:
    case ErrorCode::kNotAuthorised:
    case ErrorCode::kFenced: return true;
    default: return false;
  }
}

ProducerId derive_producer(ProducerId base, std::uint64_t index) {
  for (std::size_t i = 0; i < sizeof index; ++i) {
    base.bytes[15 - i] ^= static_cast<std::byte>(index >> (8 * i));
  }
  return base;
}

}  // namespace

class ClientEngine::Parts final : public session::Refill {
 public:
  // However many share the Governor's room: less than a burst of packets helps nobody.
  static constexpr std::uint64_t kRoomMin = 64 * 1024;

  Parts(EngineConfig config, std::uint64_t seed, Instant now)
      : config_(std::move(config)),
        prng_(seed),
        backoff_(config_.limits.reconnect_delay_max, prng_.next()),
        governor_({config_.limits.latency_target, config_.limits.outbox_size_max}) {
    static_cast<void>(now);
    outputs_.push_back(ConnectWanted{});
  }

  void refill(session::StreamKey stream, session::SendQueue& queue) override;

  void transport_up(Instant now);
  void transport_lost(ErrorCode code, std::string_view text, bool refused, Instant now);
  std::optional<EngineOutput> poll(Instant now);
  void open_publication(Publication& publication);
  void close_when_due(bool at_once);
  void govern(std::uint64_t acked, Duration smoothed_rtt, Instant now);
  [[nodiscard]] std::uint64_t pongs() const;

  EngineConfig config_;
  base::Prng prng_;
  Backoff backoff_;
  session::Governor governor_;
  base::Ring<EngineOutput> outputs_;
  std::vector<std::unique_ptr<Publication>> publications_;               // by id
  std::unique_ptr<session::ClientSession> session_;  // gives up its pins before the outboxes go
  std::map<std::uint64_t, std::unique_ptr<Subscription>> subscriptions_;  // by id
  std::vector<Publication*> streams_;                                     // by stream key
  std::uint64_t next_subscription_ = 0;
  std::optional<Instant> retry_at_;
  std::optional<session::DeliveryMessages> handing_out_;
  std::optional<session::DirectMessages> handing_out_direct_;
  std::uint32_t message_size_max_ = 0;
  std::uint64_t pings_ = 0;
  std::uint64_t pongs_before_ = 0;  // pings of connections that are gone
  bool was_connected_ = false;
  bool closing_ = false;
  bool close_said_ = false;
  bool finished_ = false;

 private:
  void welcomed(const wire::Welcome& welcome);
  void finish(ErrorCode code, std::string_view text);
  void settle(const Publication& publication, const Range& range, Fate fate, ErrorCode code,
              std::string_view text);
  void take_ack(const wire::Ack& ack);
  void take_reject(const wire::Reject& reject);
  void take_ended(const wire::Ended& ended);
  void take_alias(const session::ChannelIntroduced& introduced);
  void take_gap(const session::DeliveryGap& gap);
  [[nodiscard]] Publication* publication(PublicationId id);
  [[nodiscard]] Subscription* subscription(SubscriptionId id);
  [[nodiscard]] std::optional<EngineOutput> hand_out(const session::DeliveryMessages& messages);
  // What the session brought; a borrowed output is given at once, the rest is queued.
  [[nodiscard]] std::optional<EngineOutput> take(session::ClientOutput& output);
};

// ---- The connection.

void ClientEngine::Parts::transport_up(Instant now) {
  ORZATTY_ASSERT(session_ == nullptr);
  wire::Hello hello;
  hello.versions = {kProtocolVersion};
  hello.token = copy_of(bytes_of(config_.token));
  hello.agent = config_.agent;
  session_ = std::make_unique<session::ClientSession>(config_.limits, hello, prng_.next(), now);
}

void ClientEngine::Parts::transport_lost(ErrorCode code, std::string_view text, bool refused,
                                         Instant now) {
  if (finished_) return;
  handing_out_.reset();
  handing_out_direct_.reset();
  session_.reset();
  streams_.clear();
  pongs_before_ = pings_;
  for (const auto& publication : publications_) publication->lose();
  for (const auto& [id, subscription] : subscriptions_) subscription->lose();
  if (closing_ || refused || is_final(code)) return finish(code, text);
  outputs_.push_back(Disconnected{code, std::string(text), true});
  retry_at_ = now + backoff_.next();
}

void ClientEngine::Parts::finish(ErrorCode code, std::string_view text) {
  finished_ = true;
  retry_at_.reset();
  for (const auto& publication : publications_) {
    if (const auto range = publication->give_up()) {
      settle(*publication, *range, Fate::kUnknown, code, text);
    }
  }
  outputs_.push_back(Disconnected{code, std::string(text), false});
}

void ClientEngine::Parts::welcomed(const wire::Welcome& welcome) {
  backoff_.reset();
  message_size_max_ = std::min(config_.limits.message_size_max, welcome.message_size_max);
  for (const auto& publication : publications_) open_publication(*publication);
  for (const auto& [id, subscription] : subscriptions_) {
    if (!subscription->ended) session_->subscribe(subscription->request());
  }
  outputs_.push_back(Connected{welcome.identity, was_connected_});
  was_connected_ = true;
}

void ClientEngine::Parts::open_publication(Publication& publication) {
  if (session_ == nullptr || !session_->open()) return;
  publication.open(*session_);
  const std::size_t key = publication.stream()->value();
  if (streams_.size() <= key) streams_.resize(key + 1);
  streams_[key] = &publication;
}

// The goodbye: once all is settled, or at once.
void ClientEngine::Parts::close_when_due(bool at_once) {
  const bool settled = std::ranges::all_of(
      publications_, [](const auto& publication) { return publication->settled(); });
  if (close_said_ || (!settled && !at_once)) return;
  close_said_ = true;
  session_->close(ErrorCode::kNone, "");
  session_->core().close(ErrorCode::kNone, "closed by the application");
}

std::uint64_t ClientEngine::Parts::pongs() const {
  return session_ == nullptr ? pings_ : pongs_before_ + session_->core().pongs();
}

// The Governor's room, shared by those who have something to say.
void ClientEngine::Parts::govern(std::uint64_t acked, Duration smoothed_rtt, Instant now) {
  const std::uint64_t room_before = governor_.room();
  governor_.acknowledged(acked, session_->core().sends().ready(), smoothed_rtt, now);
  if (governor_.room() == room_before) return;
  std::uint64_t active = 0;
  for (const auto& publication : publications_) active += publication->settled() ? 0U : 1U;
  const std::uint64_t share =
      std::max(governor_.room() / std::max<std::uint64_t>(active, 1), kRoomMin);
  for (const auto& publication : publications_) publication->outbox().set_room(share);
}

void ClientEngine::Parts::refill(session::StreamKey stream, session::SendQueue& queue) {
  if (stream.value() >= streams_.size() || streams_[stream.value()] == nullptr) return;
  streams_[stream.value()]->outbox().fill(queue, session_->core().scratch(),
                                          session_->core().draw_nonce());
}

// ---- What comes in.

Publication* ClientEngine::Parts::publication(PublicationId id) {
  return id.value() < publications_.size() ? publications_[id.value()].get() : nullptr;
}

Subscription* ClientEngine::Parts::subscription(SubscriptionId id) {
  const auto found = subscriptions_.find(id.value());
  return found == subscriptions_.end() ? nullptr : found->second.get();
}

std::optional<EngineOutput> ClientEngine::Parts::poll(Instant now) {
  // What was handed out has been looked at: position and credit travel back.
  if (handing_out_ && session_ != nullptr) session_->consumed(*handing_out_, now);
  if (handing_out_direct_ && session_ != nullptr) session_->consumed(*handing_out_direct_);
  handing_out_.reset();
  handing_out_direct_.reset();

  while (outputs_.empty() && session_ != nullptr) {
    auto output = session_->poll(now);
    if (!output) break;
    if (auto borrowed = take(*output)) return borrowed;
  }
  if (outputs_.empty()) return std::nullopt;
  return outputs_.pop_front();
}

std::optional<EngineOutput> ClientEngine::Parts::take(session::ClientOutput& output) {
  if (const auto* messages = std::get_if<session::DeliveryMessages>(&output)) {
    return hand_out(*messages);
  }
  if (const auto* direct = std::get_if<session::DirectMessages>(&output)) {
    handing_out_direct_ = *direct;
    return DeliveredDirect{direct->channel, Offset(direct->first.value()), direct->count,
                           direct->frames};
  }
  if (const auto* ack = std::get_if<session::AckReceived>(&output)) {
    take_ack(*ack->ack);
  } else if (const auto* rejected = std::get_if<session::RejectReceived>(&output)) {
    take_reject(rejected->reject);
  } else if (const auto* welcome = std::get_if<session::Welcomed>(&output)) {
    welcomed(welcome->welcome);
  } else if (const auto* alias = std::get_if<session::ChannelIntroduced>(&output)) {
    take_alias(*alias);
  } else if (const auto* producer = std::get_if<session::ProducerIntroduced>(&output)) {
    if (auto* known = subscription(producer->subscription)) known->introduce(producer->producer);
  } else if (const auto* gap = std::get_if<session::DeliveryGap>(&output)) {
    take_gap(*gap);
  } else if (const auto* subscribed = std::get_if<session::SubscribedReceived>(&output)) {
    auto* known = subscription(subscribed->subscription);
    if (known != nullptr && !std::exchange(known->confirmed, true)) {
      outputs_.push_back(SubscriptionReady{subscribed->subscription});
    }
  } else if (const auto* ended = std::get_if<session::EndedReceived>(&output)) {
    take_ended(ended->ended);
  } else if (const auto* drain = std::get_if<session::DrainReceived>(&output)) {
    outputs_.push_back(Draining{drain->drain.text});
  } else if (const auto* close = std::get_if<session::CloseTransport>(&output)) {
    outputs_.push_back(TransportClosed{close->code, close->text});
  }
  return std::nullopt;
}

std::optional<EngineOutput> ClientEngine::Parts::hand_out(
    const session::DeliveryMessages& messages) {
  handing_out_ = messages;
  Subscription* const known = subscription(messages.subscription);
  if (known == nullptr || known->ended) return std::nullopt;  // it was ended while they travelled
  const auto channel =
      known->advance(messages.channel, messages.first, messages.first + messages.count);
  if (!channel) {
    session_->core().fail(channel.error());
    return std::nullopt;
  }
  return Delivered{.subscription = messages.subscription,
                   .channel = *channel,
                   .publisher = known->publisher(messages.producer),
                   .first = messages.first,
                   .count = messages.count,
                   .frames = messages.frames};
}

void ClientEngine::Parts::settle(const Publication& publication, const Range& range, Fate fate,
                                 ErrorCode code, std::string_view text) {
  outputs_.push_back(Settled{.publication = publication.id(),
                             .from = range.from,
                             .to = range.to,
                             .fate = fate,
                             .first_offset = range.first_offset,
                             .code = code,
                             .text = std::string(text)});
}

void ClientEngine::Parts::take_ack(const wire::Ack& ack) {
  for (const wire::AckRun& run : ack.runs) {
    Publication* const known = publication(run.publication);
    if (known == nullptr) return session_->core().fail({ErrorCode::kAliasUnknown, "ACK"});
    const auto range = known->accepted(run);
    if (!range) return session_->core().fail(range.error());
    if (*range) settle(*known, **range, Fate::kAccepted, ErrorCode::kNone, "");
  }
}

void ClientEngine::Parts::take_reject(const wire::Reject& reject) {
  Publication* const known = publication(reject.publication);
  if (known == nullptr) return session_->core().fail({ErrorCode::kAliasUnknown, "REJECT"});
  const auto range = known->rejected(reject);
  if (!range) return session_->core().fail(range.error());
  if (*range) settle(*known, **range, Fate::kRejected, reject.code, reject.text);
}

void ClientEngine::Parts::take_ended(const wire::Ended& ended) {
  Subscription* const known = subscription(ended.subscription);
  if (known == nullptr) return session_->core().fail({ErrorCode::kAliasUnknown, "ENDED"});
  known->ended = true;
  outputs_.push_back(SubscriptionEnded{ended.subscription, ended.code, ended.text});
}

void ClientEngine::Parts::take_alias(const session::ChannelIntroduced& introduced) {
  Subscription* const known = subscription(introduced.subscription);
  if (known == nullptr) return session_->core().fail({ErrorCode::kAliasUnknown, "ALIAS"});
  if (known->introduce(introduced.alias) == Subscription::Introduced::kReset) {
    outputs_.push_back(
        ChannelReset{introduced.subscription, std::string(introduced.alias.channel.text())});
  }
}

void ClientEngine::Parts::take_gap(const session::DeliveryGap& gap) {
  Subscription* const known = subscription(gap.subscription);
  if (known == nullptr) return session_->core().fail({ErrorCode::kAliasUnknown, "GAP"});
  const auto channel = known->advance(gap.channel, gap.gap.from, gap.gap.to);
  if (!channel) return session_->core().fail(channel.error());
  outputs_.push_back(Missed{gap.subscription, std::string(*channel), gap.gap});
}

// ---- The door.

ClientEngine::ClientEngine(EngineConfig config, std::uint64_t seed, Instant now)
    : parts_(std::make_unique<Parts>(std::move(config), seed, now)) {}
ClientEngine::~ClientEngine() = default;

void ClientEngine::transport_up(Instant now) { parts_->transport_up(now); }

void ClientEngine::transport_lost(ErrorCode code, std::string_view text, bool refused,
                                  Instant now) {
  parts_->transport_lost(code, text, refused, now);
}

void ClientEngine::handle_control(BytesView bytes, session::Fin fin, Instant now) {
  parts_->session_->handle_control(bytes, fin, now);
}

void ClientEngine::handle_stream(session::RemoteStream stream, BytesView bytes, session::Fin fin,
                                 Instant now) {
  parts_->session_->handle_stream(stream, bytes, fin, now);
}

void ClientEngine::handle_stream_reset(session::RemoteStream stream, Instant) {
  parts_->session_->handle_stream_reset(stream);
}

void ClientEngine::handle_timeout(Instant now) {
  Parts& parts = *parts_;
  if (parts.session_ != nullptr) {
    parts.session_->handle_timeout(now);
  } else if (parts.retry_at_ && now >= *parts.retry_at_) {
    parts.retry_at_.reset();
    parts.outputs_.push_back(ConnectWanted{});
  }
}

std::optional<Instant> ClientEngine::next_timeout() const {
  return parts_->session_ != nullptr ? parts_->session_->next_timeout() : parts_->retry_at_;
}

std::optional<EngineOutput> ClientEngine::poll(Instant now) { return parts_->poll(now); }

PublicationId ClientEngine::publish(const ChannelName& channel) {
  Parts& parts = *parts_;
  const PublicationId id(parts.publications_.size());
  parts.publications_.push_back(
      std::make_unique<Publication>(id, derive_producer(parts.config_.producer, id.value()),
                                    channel, parts.config_.limits.outbox_size_max));
  parts.open_publication(*parts.publications_.back());
  return id;
}

session::Outbox& ClientEngine::outbox(PublicationId publication) {
  return parts_->publications_[publication.value()]->outbox();
}

void ClientEngine::wake(PublicationId publication) {
  const auto stream = parts_->publications_[publication.value()]->stream();
  if (stream) parts_->session_->core().sends().wake(*stream);
}

void ClientEngine::wake_all() {
  for (const auto& publication : parts_->publications_) {
    if (publication->stream() && publication->outbox().has_unsent()) {
      parts_->session_->core().sends().wake(*publication->stream());
    }
  }
}

SubscriptionId ClientEngine::subscribe(const ChannelPattern& pattern, const StartPosition& start) {
  Parts& parts = *parts_;
  const SubscriptionId id(parts.next_subscription_++);
  auto& made = parts.subscriptions_[id.value()];
  made = std::make_unique<Subscription>(id, pattern, start);
  if (connected()) parts.session_->subscribe(made->request());
  return id;
}

void ClientEngine::unsubscribe(SubscriptionId subscription) {
  const auto found = parts_->subscriptions_.find(subscription.value());
  if (found == parts_->subscriptions_.end() || std::exchange(found->second->ended, true)) return;
  if (connected()) parts_->session_->unsubscribe(subscription);
}

void ClientEngine::close(Ending ending, Instant now) {
  Parts& parts = *parts_;
  parts.closing_ = true;
  if (parts.session_ == nullptr) {
    parts.transport_lost(ErrorCode::kClosedByUser, "closed by the application", true, now);
  } else {
    parts.close_when_due(ending == Ending::kNow);
  }
}

bool ClientEngine::settled() {
  return std::ranges::all_of(parts_->publications_,
                             [](const auto& publication) { return publication->settled(); });
}

std::uint64_t ClientEngine::ping() {
  if (connected()) parts_->session_->core().ping();
  return ++parts_->pings_;
}

std::uint64_t ClientEngine::pongs() const { return parts_->pongs(); }

bool ClientEngine::has_transport() const { return parts_->session_ != nullptr; }
session::SendTable& ClientEngine::sends() { return parts_->session_->core().sends(); }
session::Refill& ClientEngine::source() { return *parts_; }
std::vector<session::Credit>& ClientEngine::credits() { return parts_->session_->core().credits(); }

void ClientEngine::flush(Instant now) {
  if (parts_->closing_) parts_->close_when_due(false);
  parts_->session_->flush(now);
}

void ClientEngine::acked(session::StreamKey stream, std::uint64_t size, Duration smoothed_rtt,
                         Instant now) {
  Parts& parts = *parts_;
  parts.session_->core().sends().acked(stream, size);
  parts.govern(size, smoothed_rtt, now);
}

void ClientEngine::stream_closed(session::StreamKey stream) {
  parts_->session_->core().sends().release(stream);
}

bool ClientEngine::connected() const {
  return parts_->session_ != nullptr && parts_->session_->open();
}

std::uint32_t ClientEngine::message_size_max() const {
  return parts_->message_size_max_ == 0 ? parts_->config_.limits.message_size_max
                                        : parts_->message_size_max_;
}

}  // namespace orzatty::client
