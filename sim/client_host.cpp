#include "sim/client_host.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "sim/payload.h"
#include "sim/tls_identity.h"
#include "wire/direct.h"
#include "wire/message.h"
#include "wire/subscribe.h"

namespace orzatty::sim {

namespace {

quic::ConnectionConfig connection_config(const Limits& limits) {
  return {.stream_window = limits.stream_window,
          .stream_window_max = limits.stream_window_max,
          .connection_window = limits.connection_window,
          .uni_stream_count = limits.subscription_count_max + limits.passing_stream_count_max,
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

// The id of a request says which message it is.
CorrelationId id_of(const MessageName& request) {
  const std::array<std::uint64_t, 2> words = {
      (std::uint64_t{request.program.value()} << 32) | request.publication.value(),
      request.sequence.value()};
  CorrelationId id;
  std::memcpy(id.bytes.data(), words.data(), sizeof words);
  return id;
}
MessageName request_of(const CorrelationId& id) {
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), id.bytes.data(), sizeof words);
  return {ProgramId(static_cast<std::uint32_t>(words[0] >> 32)),
          PublicationId(words[0] & 0xffffffff), Sequence(words[1])};
}

// Empty when it has none.
std::string key_of(const Feed& feed, Sequence sequence) {
  return feed.key_count == 0 ? "" : std::to_string(sequence.value() % feed.key_count);
}

std::string_view end_name(client::RequestFailed::Why why) {
  switch (why) {
    case client::RequestFailed::Why::kTimeout:
      return "timeout";
    case client::RequestFailed::Why::kRejected:
      return "refused";
    case client::RequestFailed::Why::kLost:
      return "lost";
  }
  return "without a name";
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
  to_reply_.clear();
  replying_.reset();
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
  feeds_.push_back({feed, feed.count, 0, now + feed.from, std::nullopt, 0});
}

void ClientHost::subscribe(std::string_view pattern, const StartPosition& start) {
  wishes_.push_back({*ChannelPattern::parse(pattern), start, std::nullopt, std::nullopt, false});
  if (running()) ask(wishes_.back(), start);
}

void ClientHost::answer(std::string_view pattern) {
  subscribe(pattern, StartPosition::live());
  wishes_.back().answers = true;
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
  reply_to_all(now);
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
    if (any && feeding.publication) link_->engine().wake(*feeding.publication);
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
  const MessageName name{program_, *feeding.publication, sequence};
  write_payload(name, size, payload_);
  if (!append(feeding, name, now)) return false;
  --feeding.due_count;
  --feeding.left;
  ++published_count_;
  ++feeding.published;
  const std::string key = key_of(feeding.feed, sequence);
  tell(Published{program_, *feeding.publication, feeding.feed.channel, sequence,
                 feeding.feed.asks_for ? feeding.feed.asks_for : feeding.feed.time_to_live, key,
                 feeding.feed.mode});
  if (feeding.feed.asks_for) begin_request(name, *feeding.feed.asks_for);
  if (feeding.published == feeding.feed.publisher_ends_after) end_publisher(feeding);
  return true;
}

bool ClientHost::append(Feeding& feeding, const MessageName& name, Instant now) {
  client::ClientEngine& engine = link_->engine();
  session::Outbox& outbox = engine.outbox(name.publication);
  const auto asks_for = feeding.feed.asks_for;
  const std::string key = key_of(feeding.feed, name.sequence);
  if (!asks_for) {
    const MessageAttributes attributes{.time_to_live = feeding.feed.time_to_live,
                                       .key = bytes_of(key)};
    return outbox.append(MessageType::kRaw, payload_, attributes, now);
  }
  const CorrelationId id = id_of(name);
  if (!engine.await_reply({id, name.publication, name.sequence, now + *asks_for})) return false;
  const MessageAttributes attributes{
      .time_to_live = asks_for, .correlation = id, .key = bytes_of(key), .wants_reply = true};
  if (outbox.append(MessageType::kRaw, payload_, attributes, now)) return true;
  engine.withdraw(id);
  return false;
}

void ClientHost::begin_request(const MessageName& request, Duration patience) {
  constexpr std::uint64_t kCancelledEvery = 7;
  tell(RequestAsked{program_, request, patience});
  if (request.sequence.value() % kCancelledEvery != kCancelledEvery - 1) return;
  link_->engine().cancel(id_of(request));
  ++requests_["cancelled"];
  tell(RequestOver{program_, request, "cancelled"});
}

void ClientHost::end_publisher(Feeding& feeding) {
  link_->engine().wake(*feeding.publication);
  link_->engine().retire(*feeding.publication);
  feeding.publication.reset();
  feeding.published = 0;
}

void ClientHost::reply_to_all(Instant now) {
  if (to_reply_.empty()) return;
  client::ClientEngine& engine = link_->engine();
  if (!replying_) {
    replying_ = engine.publish(*ChannelName::parse(wire::kReplyChannel));
    channels_.resize(std::max<std::size_t>(channels_.size(), replying_->value() + 1));
  }
  while (!to_reply_.empty()) {
    const MessageName request = to_reply_.front();
    write_payload(request, kPayloadSizeMin, payload_);
    const MessageAttributes attributes{.correlation = id_of(request)};
    if (!engine.outbox(*replying_).append(MessageType::kRaw, payload_, attributes, now)) break;
    to_reply_.pop_front();
    tell(ReplyGiven{config_.identity, request});
  }
  engine.wake(*replying_);
}

// Each process of a named producer is a newer epoch of it, and counts anew.
void ClientHost::open(Feeding& feeding) {
  const std::string& producer = feeding.feed.producer;
  client::NamedProducer named{{}, ProducerEpoch(config_.epoch + start_count_), Sequence(0)};
  streams_.stream("producer " + producer).fill(named.id.bytes);
  const ChannelName channel = *ChannelName::parse(feeding.feed.channel);
  feeding.publication =
      link_->engine().publish(channel, {.mode = feeding.feed.mode, .priority = feeding.feed.priority},
                              producer.empty() ? nullptr : &named);
  channels_.resize(std::max<std::size_t>(channels_.size(), feeding.publication->value() + 1));
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
  return running() && to_reply_.empty() && link_->engine().settled() &&
         std::ranges::all_of(feeds_, [](const Feeding& feeding) { return feeding.left == 0; });
}

void ClientHost::report_counts() {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const PublicationId publication(i);
    if (channels_[i].empty()) continue;
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
  } else if (const auto* over = std::get_if<client::PublicationEnded>(&output)) {
    channels_[over->publication.value()].clear();
    ++publishers_ended_;
  } else if (const auto* failed = std::get_if<client::RequestFailed>(&output)) {
    on_request_failed(*failed);
  }
}

void ClientHost::on_delivered(const client::Delivered& delivered) {
  seen_.clear();
  Heard& heard = heard_[std::string(delivered.channel)];
  const Wish* const asked = find(delivered.subscription);
  for (const wire::MessageView message : wire::MessageRange(delivered.frames)) {
    seen_.push_back(read_payload(message.payload));
    if (asked != nullptr && asked->answers && !message.attributes.empty()) {
      const auto attributes = wire::decode_attributes(message.attributes);
      if (attributes->wants_reply) to_reply_.push_back(request_of(*attributes->correlation));
    }
    if (config_.role == Role::kClient) heard.messages.push_back(seen_.back().name);
  }
  seen_count_ += seen_.size();
  store(delivered.subscription, delivered.channel, delivered.first + seen_.size());
  tell(MessagesSeen{program_, delivered.subscription, delivered.channel, delivered.publisher,
                    delivered.first, seen_, life_});
}

void ClientHost::store(SubscriptionId subscription, std::string_view channel, Offset next) {
  Wish* const wish = find(subscription);
  if (wish == nullptr || wish->pattern.has_wildcard()) return;
  if (keeps_order(*config_.server, channel)) wish->stored = next;
}

void ClientHost::on_missed(const client::Missed& missed) {
  heard_[missed.channel].gaps.push_back(missed.gap);
  store(missed.subscription, missed.channel, missed.gap.to);
  tell(GapSeen{program_, missed.subscription, missed.channel, missed.gap, life_});
}

void ClientHost::on_reset(const client::ChannelReset& reset) {
  ++heard_[reset.channel].resets;
  if (Wish* wish = find(reset.subscription)) wish->stored.reset();
  tell(ResetSeen{program_, reset.subscription, reset.channel, life_});
}

void ClientHost::on_settled(const client::Settled& settled) {
  if (settled.publication == replying_) return;
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

void ClientHost::on_reply(const wire::MessageView& message) {
  const auto attributes = wire::decode_attributes(message.attributes);
  const MessageName request = request_of(*attributes->correlation);
  if (!link_->engine().take_reply(*attributes->correlation)) {
    return tell(ReplyPassedOver{program_, request, life_});  // cancelled, or too late
  }
  const SeenMessage seen = read_payload(message.payload);
  ++requests_["answered"];
  tell(ReplySeen{program_, request, attributes->sender, seen.intact && seen.name == request,
                 life_});
}

void ClientHost::on_request_failed(const client::RequestFailed& failed) {
  ++requests_[std::string(end_name(failed.why))];
  tell(RequestOver{program_, request_of(failed.id), end_name(failed.why)});
}

void ClientHost::on_direct(const client::DeliveredDirect& direct) {
  for (const wire::MessageView message : wire::MessageRange(direct.frames)) {
    if (direct.channel == wire::kReplyChannel) {
      on_reply(message);
      continue;
    }
    const SeenMessage seen = read_payload(message.payload);
    tell(DirectSeen{program_, SessionNumber(seen.name.program.value()), seen.name.sequence,
                    seen.intact});
  }
  if (direct.channel != wire::kReplyChannel) direct_count_ += direct.count;
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
