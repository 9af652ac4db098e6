#include "sim/client_host.h"

#include <algorithm>
#include <utility>

#include "sim/payload.h"
#include "sim/tls_identity.h"
#include "wire/message.h"
#include "wire/subscribe.h"

namespace orzatty::sim {

namespace {

quic::ConnectionConfig connection_config(const Limits& limits) {
  return {.stream_window = limits.stream_window,
          .connection_window = limits.connection_window,
          .uni_stream_count = limits.subscription_count_max,
          .idle_timeout = 3 * limits.dead_after};
}

// Ends that a network, a restart or a stop explains.
bool is_explained(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNone:
    case ErrorCode::kPeerSilent:
    case ErrorCode::kHelloTimeout:
    case ErrorCode::kDraining:
    case ErrorCode::kOverloaded:
    case ErrorCode::kClosedByUser:
      return true;
    default:
      return false;
  }
}

}  // namespace

ClientHost::ClientHost(ClientConfig config, const base::Address& server, Streams streams,
                       Chronicle& chronicle, Instant now)
    : config_(std::move(config)),
      server_(server),
      streams_(streams),
      chronicle_(chronicle),
      chance_(streams.stream("client", config_.index)),
      unasked_(session::Scratch::kKept) {
  start(now);
}

void ClientHost::start(Instant now) {
  const std::uint64_t seed = streams_.seed("process", (config_.index << 20) | start_count_++);
  ProducerId producer;
  base::Prng(seed).fill(producer.bytes);
  program_ = chronicle_.next_program();
  heard_.clear();
  channels_.clear();
  direct_count_ = 0;
  tell(ProgramBegan{program_, config_.identity, config_.role});
  link::ClientEvents& events = *this;
  link_ = std::make_unique<link::ClientLink>(
      client::EngineConfig{.limits = config_.limits, .token = config_.token, .producer = producer},
      connection_config(config_.limits), client_credentials(), "localhost", events, seed, now);
  for (Feeding& feeding : feeds_) feeding.publication.reset();
  for (Wish& wish : wishes_) {
    ask(wish, wish.stored ? StartPosition::at(*wish.stored) : wish.start);
  }
}

void ClientHost::kill() {
  link_.reset();
  connection_wanted_ = false;
  to_ask_again_.clear();
  tell(ProgramKilled{program_});
}

void ClientHost::feed(const Feed& feed, Instant now) {
  feeds_.push_back({feed, feed.count, 0, now + feed.from, std::nullopt});
}

void ClientHost::subscribe(std::string_view pattern, const StartPosition& start) {
  wishes_.push_back({*ChannelPattern::parse(pattern), start, std::nullopt, std::nullopt});
  if (running()) ask(wishes_.back(), start);
}

void ClientHost::ask(Wish& wish, const StartPosition& start) {
  wish.subscription = link_->engine().subscribe(wish.pattern, start);
  if (config_.role == Role::kIntruder) return;
  tell(SubscriptionAsked{program_, *wish.subscription, &wish.pattern, start});
}

ClientHost::Wish* ClientHost::find(SubscriptionId subscription) {
  const auto found = std::ranges::find(wishes_, std::optional(subscription), &Wish::subscription);
  return found == wishes_.end() ? nullptr : &*found;
}

void ClientHost::handle(const quic::Datagram& datagram, ServerLife life, link::PacketSink& /*sink*/,
                        Instant now) {
  if (!running()) return;
  life_ = life;
  link_->handle_datagram(datagram, now);
}

void ClientHost::handle_timeout(Instant now) {
  if (running()) link_->handle_timeout(now);
}

std::optional<Instant> ClientHost::next_timeout() const {
  if (!running()) return std::nullopt;
  std::optional<Instant> next = link_->next_timeout();
  for (const Feeding& feeding : feeds_) {
    if (feeding.left > feeding.due_count && (!next || feeding.next_at < *next)) {
      next = feeding.next_at;
    }
  }
  return next;
}

void ClientHost::write(link::PacketSink& sink, Instant now) {
  if (!running()) return;
  run_feeds(now);
  for (const std::size_t index : std::exchange(to_ask_again_, {})) {
    Wish& wish = wishes_[index];
    ask(wish, wish.stored ? StartPosition::at(*wish.stored) : StartPosition::start());
  }
  link_->drain(now);
  if (config_.role == Role::kIntruder) speak_out_of_turn();
  if (fenced_) return kill();
  if (std::exchange(connection_wanted_, false)) link_->connect(address, server_, now);
  while (link_->write(sink, now)) {
  }
  if (config_.role == Role::kClient) report_counts();
}

void ClientHost::move(const base::Address& local, Instant now) {
  address = local;
  if (running()) link_->migrate(local, now);
}

void ClientHost::run_feeds(Instant now) {
  for (Feeding& feeding : feeds_) {
    while (feeding.left > feeding.due_count && feeding.next_at <= now) {
      feeding.due_count += 1 + chance_.below(feeding.feed.burst_max);
      feeding.due_count = std::min(feeding.due_count, feeding.left);
      const auto every = static_cast<std::uint64_t>(feeding.feed.every.count());
      feeding.next_at += Duration(static_cast<std::int64_t>(every / 2 + chance_.below(every + 1)));
    }
    bool any = false;
    while (feeding.due_count > 0 && publish_one(feeding, now)) any = true;
    if (any) link_->engine().wake(*feeding.publication);
  }
}

bool ClientHost::publish_one(Feeding& feeding, Instant now) {
  client::ClientEngine& engine = link_->engine();
  if (!feeding.publication) open(feeding);
  session::Outbox& outbox = engine.outbox(*feeding.publication);
  const Sequence sequence = outbox.next_sequence();
  const std::uint64_t sizes = feeding.feed.size_max - kPayloadSizeMin + 1;
  // By the message, not by the moment: one that waited for room is the same message later.
  const std::size_t size =
      kPayloadSizeMin + base::Prng(sequence.value() ^ program_.value()).below(sizes);
  write_payload({program_, *feeding.publication, sequence}, size, payload_);
  const MessageAttributes attributes{.time_to_live = feeding.feed.time_to_live};
  if (!outbox.append(MessageType::kRaw, payload_, attributes, now)) return false;
  --feeding.due_count;
  --feeding.left;
  ++published_count_;
  tell(Published{program_, *feeding.publication, feeding.feed.channel, sequence,
                 feeding.feed.time_to_live});
  return true;
}

// Each process of a named producer is a newer epoch of it, and counts anew.
void ClientHost::open(Feeding& feeding) {
  const std::string& producer = feeding.feed.producer;
  client::NamedProducer named{{}, ProducerEpoch(config_.epoch + start_count_), Sequence(0)};
  streams_.stream("producer " + producer).fill(named.id.bytes);
  const ChannelName channel = *ChannelName::parse(feeding.feed.channel);
  feeding.publication =
      link_->engine().publish(channel, {.priority = feeding.feed.priority},
                              producer.empty() ? nullptr : &named);
  channels_.resize(feeding.publication->value() + 1);
  channels_[feeding.publication->value()] = feeding.feed.channel;
  if (producer.empty()) return;
  tell(ProducerNamed{program_, *feeding.publication, producer, named.epoch});
}

// Once HELLO has left, and while the server looks for somebody who knows the token: a subscription.
void ClientHost::speak_out_of_turn() {
  client::ClientEngine& engine = link_->engine();
  if (spoke_ || !engine.has_transport()) return;
  session::SendQueue& control = engine.sends().queue(session::kControlKey);
  if (control.unsent() > 0) return;
  spoke_ = true;
  Bytes unasked;
  wire::encode(wire::Subscribe{.subscription = SubscriptionId(0),
                               .pattern = *ChannelPattern::parse(">"),
                               .start = StartPosition::start(),
                               .positions = {}},
               unasked);
  if (unasked_.write(unasked, control)) engine.sends().wake(session::kControlKey);
}

bool ClientHost::settled() {
  if (fenced_) return true;
  return running() && link_->engine().settled() &&
         std::ranges::all_of(feeds_, [](const Feeding& feeding) { return feeding.left == 0; });
}

void ClientHost::report_counts() {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const PublicationId publication(i);
    session::Outbox& outbox = link_->engine().outbox(publication);
    tell(Counted{program_, publication, outbox.published(), outbox.waiting(),
                 config_.limits.outbox_size_max});
  }
}

void ClientHost::on_event(client::EngineOutput& output, Instant /*now*/) {
  if (config_.role == Role::kIntruder && !std::holds_alternative<client::ConnectWanted>(output) &&
      !std::holds_alternative<client::Disconnected>(output) &&
      !std::holds_alternative<client::TransportClosed>(output) &&
      !std::holds_alternative<client::Settled>(output) &&
      !std::holds_alternative<client::SubscriptionEnded>(output)) {
    return tell(IntruderHeard{program_, "an answer of the hub"});
  }
  if (const auto* delivered = std::get_if<client::Delivered>(&output)) {
    on_delivered(*delivered);
  } else if (std::holds_alternative<client::ConnectWanted>(output)) {
    connection_wanted_ = true;
  } else if (const auto* connected = std::get_if<client::Connected>(&output)) {
    ++connected_count_;
    ++(connected->resumed ? resumed_count_ : session_count_);
    tell(WasWelcomed{program_, connected->identity, connected->resumed});
  } else if (const auto* direct = std::get_if<client::DeliveredDirect>(&output)) {
    on_direct(*direct);
  } else if (const auto* lost = std::get_if<client::DirectMissed>(&output)) {
    tell(DirectLost{program_, lost->from, lost->to});
  } else if (const auto* disconnected = std::get_if<client::Disconnected>(&output)) {
    on_disconnected(*disconnected);
  } else if (const auto* settled = std::get_if<client::Settled>(&output)) {
    on_settled(*settled);
  } else if (const auto* missed = std::get_if<client::Missed>(&output)) {
    on_missed(*missed);
  } else if (const auto* reset = std::get_if<client::ChannelReset>(&output)) {
    on_reset(*reset);
  } else if (const auto* ready = std::get_if<client::SubscriptionReady>(&output)) {
    tell(SubscriptionConfirmed{program_, ready->subscription, life_});
  } else if (const auto* ended = std::get_if<client::SubscriptionEnded>(&output)) {
    on_ended(*ended);
  }
}

void ClientHost::on_delivered(const client::Delivered& delivered) {
  seen_.clear();
  Heard& heard = heard_[std::string(delivered.channel)];
  for (const wire::MessageView message : wire::MessageRange(delivered.frames)) {
    seen_.push_back(read_payload(message.payload));
    if (config_.role == Role::kClient) heard.messages.push_back(seen_.back().name);
  }
  seen_count_ += seen_.size();
  if (Wish* wish = find(delivered.subscription); wish && !wish->pattern.has_wildcard()) {
    wish->stored = delivered.first + seen_.size();
  }
  tell(MessagesSeen{program_, delivered.subscription, delivered.channel, delivered.publisher,
                    delivered.first, seen_, life_});
}

void ClientHost::on_missed(const client::Missed& missed) {
  heard_[missed.channel].gaps.push_back(missed.gap);
  if (Wish* wish = find(missed.subscription); wish && !wish->pattern.has_wildcard()) {
    wish->stored = missed.gap.to;
  }
  tell(GapSeen{program_, missed.subscription, missed.channel, missed.gap, life_});
}

void ClientHost::on_reset(const client::ChannelReset& reset) {
  ++heard_[reset.channel].resets;
  if (Wish* wish = find(reset.subscription)) wish->stored.reset();
  tell(ResetSeen{program_, reset.subscription, reset.channel, life_});
}

void ClientHost::on_settled(const client::Settled& settled) {
  fates_[std::string(fate_name(settled.fate))] += settled.to - settled.from;
  tell(FateTold{program_, settled.publication, channels_[settled.publication.value()], settled.from,
                settled.to, settled.fate, settled.first_offset, settled.code, life_});
}

// An application that was too slow goes on where it is; one whose offset is of an earlier life of
// the channel begins anew.
void ClientHost::on_ended(const client::SubscriptionEnded& ended) {
  tell(SubscriptionOver{program_, ended.subscription, ended.code});
  Wish* const wish = find(ended.subscription);
  if (wish == nullptr) return;
  wish->subscription.reset();
  if (ended.code == ErrorCode::kStartUnavailable) wish->stored.reset();
  if (ended.code == ErrorCode::kStartUnavailable || ended.code == ErrorCode::kSlowSubscriber) {
    to_ask_again_.push_back(static_cast<std::size_t>(wish - wishes_.data()));
  }
}

void ClientHost::on_direct(const client::DeliveredDirect& direct) {
  for (const wire::MessageView message : wire::MessageRange(direct.frames)) {
    const SeenMessage seen = read_payload(message.payload);
    tell(DirectSeen{program_, SessionNumber(seen.name.program.value()), seen.name.sequence,
                    seen.intact});
  }
  direct_count_ += direct.count;
}

void ClientHost::on_disconnected(const client::Disconnected& disconnected) {
  const bool named = std::ranges::any_of(
      feeds_, [](const Feeding& feeding) { return !feeding.feed.producer.empty(); });
  if (named && disconnected.code == ErrorCode::kFenced) {
    fenced_ = true;
    return;
  }
  if (config_.role == Role::kIntruder || is_explained(disconnected.code)) return;
  tell(SessionBroken{program_, disconnected.code, disconnected.text});
}

}  // namespace orzatty::sim
