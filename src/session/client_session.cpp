#include "session/client_session.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "wire/close.h"
#include "wire/deliver.h"
#include "wire/direct.h"
#include "wire/unsubscribe.h"

namespace orzatty::session {

ClientSession::ClientSession(const Limits& limits, const wire::Hello& hello, std::uint64_t seed,
                             Instant now)
    : core_(limits, wire::StreamOpener::kServer,
            limits.subscription_count_max * 2 + limits.passing_stream_count_max, seed, now),
      consumed_(limits),
      welcome_deadline_(now + limits.dead_after) {
  core_.send(hello);
}

void ClientSession::handle_timeout(Instant now) {
  // Until WELCOME came, nothing but HELLO may be said. spec: SESSION-6, SESSION-9
  if (open_) return core_.check_heartbeat(now);
  if (now >= welcome_deadline_) core_.fail({ErrorCode::kPeerSilent, "no WELCOME"});
}

void ClientSession::handle_control(BytesView bytes, Fin fin, Instant now) {
  core_.feed_control(bytes, fin, now);
}

void ClientSession::handle_stream(RemoteStream stream, BytesView bytes, Fin fin, Instant now) {
  core_.feed_stream(stream, bytes, fin, now);
}

// spec: DATAGRAM-2, DATAGRAM-3
void ClientSession::handle_datagram(BytesView bytes, Instant now) {
  if (!core_.hear(now) || !open_) return;
  const auto datagram = wire::decode_deliver_datagram(bytes);
  if (!datagram) return core_.fail(datagram.error());
  datagram_ = *datagram;
}

std::optional<Instant> ClientSession::next_timeout() const {
  if (core_.closed()) return std::nullopt;
  if (!open_) return welcome_deadline_;
  const Instant heartbeat = core_.heartbeat_timeout();
  const std::optional<Instant> positions = consumed_.next_timeout();
  return positions ? std::min(*positions, heartbeat) : heartbeat;
}

std::optional<ClientOutput> ClientSession::poll(Instant now) {
  if (const auto frame = core_.next_frame()) {
    auto output = dispatch(*frame, now);
    if (output) return std::move(*output);
    core_.fail(output.error());
  }
  while (auto item = core_.next_item()) {
    const IncomingStream& stream = *item->stream;
    if (const auto* messages = item->messages(); messages != nullptr && !stream.passing) {
      if (const std::string* channel = direct_channel(stream)) {
        return direct(stream, *channel, *messages);
      }
      return delivery(stream, *messages);
    }
    auto output = dispatch(*item);
    if (!output) {
      core_.fail(output.error());
    } else if (*output) {
      return std::move(**output);
    }
  }
  if (datagram_) return DeliveryDatagram{*std::exchange(datagram_, std::nullopt)};
  return core_.take_close();
}

// spec: SESSION-7
ClientSession::Dispatched ClientSession::dispatch_welcome(const wire::Frame& frame, Instant now) {
  if (frame.type() != wire::FrameType::kWelcome) {
    return std::unexpected(ProtocolError{ErrorCode::kFrameUnexpected, "WELCOME comes first"});
  }
  auto welcome = wire::decode_welcome(frame.body);
  if (!welcome) return std::unexpected(welcome.error());
  open_ = true;
  core_.open(welcome->heartbeat_interval, welcome->dead_after, now);
  return Welcomed{std::move(*welcome)};
}

// spec: CONTROL-3, SESSION-11
ClientSession::Dispatched ClientSession::dispatch(const wire::Frame& frame, Instant now) {
  if (!open_ && frame.type() != wire::FrameType::kClose) return dispatch_welcome(frame, now);
  switch (frame.type()) {
    case wire::FrameType::kAck:
      if (auto decoded = wire::decode_ack(frame.body, ack_); !decoded) {
        return std::unexpected(decoded.error());
      }
      return AckReceived{&ack_};
    case wire::FrameType::kReject: {
      auto reject = wire::decode_reject(frame.body);
      if (!reject) return std::unexpected(reject.error());
      return RejectReceived{std::move(*reject)};
    }
    case wire::FrameType::kSubscribed: {
      const auto subscribed = wire::decode_subscribed(frame.body);
      if (!subscribed) return std::unexpected(subscribed.error());
      return SubscribedReceived{subscribed->subscription, subscribed->channel_count};
    }
    case wire::FrameType::kEnded: {
      auto ended = wire::decode_ended(frame.body);
      if (!ended) return std::unexpected(ended.error());
      return EndedReceived{std::move(*ended)};
    }
    case wire::FrameType::kDrain: {
      auto drain = wire::decode_drain(frame.body);
      if (!drain) return std::unexpected(drain.error());
      return DrainReceived{std::move(*drain)};
    }
    case wire::FrameType::kFate: {
      auto fate = wire::decode_fate(frame.body);
      if (!fate) return std::unexpected(fate.error());
      // spec: FATE-2
      const auto asks = [](const wire::FateRun& run) { return run.kind == wire::FateKind::kAsked; };
      if (std::ranges::any_of(fate->runs, asks)) {
        return std::unexpected(ProtocolError{ErrorCode::kFrameMalformed, "an answer"});
      }
      return FateReceived{std::move(*fate)};
    }
    case wire::FrameType::kClose: {
      auto closed = wire::decode_close(frame.body);
      if (!closed) return std::unexpected(closed.error());
      core_.close(closed->code, closed->text);
      return SessionEnded{closed->code, std::move(closed->text)};
    }
    default:
      return std::unexpected(ProtocolError{ErrorCode::kFrameUnexpected, "not for a client"});
  }
}

const std::string* ClientSession::direct_channel(const IncomingStream& stream) const {
  if (direct_channels_.empty()) return nullptr;
  const auto found = direct_channels_.find(stream.id().value());
  return found == direct_channels_.end() ? nullptr : &found->second;
}

DirectMessages ClientSession::direct(const IncomingStream& stream, std::string_view channel,
                                     const wire::Messages& messages) {
  return {.stream = stream.id(),
          .channel = channel,
          .first = Sequence(messages.first),
          .count = messages.count,
          .frames = messages.bytes};
}

DeliveryMessages ClientSession::delivery(const IncomingStream& stream,
                                         const wire::Messages& messages) {
  return {.stream = stream.id(),
          .subscription = SubscriptionId(stream.subject),
          .channel = messages.channel,
          .producer = messages.producer,
          .first = Offset(messages.first),
          .count = messages.count,
          .nonce = messages.nonce,
          .frames = messages.bytes};
}

// All but messages of a delivery or a direct log.
std::expected<std::optional<ClientOutput>, ProtocolError> ClientSession::dispatch(
    IncomingItem& item) {
  IncomingStream& stream = *item.stream;
  const SubscriptionId subscription(stream.subject);
  if (std::holds_alternative<StreamEnd>(item.what)) {
    direct_channels_.erase(stream.id().value());
    passing_.erase(stream.id().value());
    core_.forget_stream(stream.id());  // ENDED tells why, on the control stream
    return std::nullopt;
  }
  auto& what = std::get<wire::ChannelStreamItem>(item.what);
  if (stream.passing) return dispatch_passing(stream, what);
  if (auto* alias = std::get_if<wire::Alias>(&what)) {
    return ChannelIntroduced{subscription, std::move(*alias)};
  }
  if (auto* producer = std::get_if<wire::Producer>(&what)) {
    return ProducerIntroduced{subscription, std::move(*producer)};
  }
  if (const auto* gap = std::get_if<wire::GapMark>(&what)) {
    return DeliveryGap{subscription, gap->alias, Gap{gap->from, gap->to, gap->reason}};
  }
  if (const auto* deliver = std::get_if<wire::Deliver>(&what)) {
    stream.subject = deliver->subscription.value();
    stream.passing = deliver->passing;
    if (stream.passing) passing_[stream.id().value()].subscription = deliver->subscription;
    return std::nullopt;
  }
  if (const auto* direct = std::get_if<wire::Direct>(&what)) {
    direct_channels_.emplace(stream.id().value(), std::string(direct->channel.text()));
    return std::nullopt;
  }
  return std::unexpected(ProtocolError{ErrorCode::kFrameUnexpected, "not on a delivery"});
}

// spec: STREAM-11
std::expected<std::optional<ClientOutput>, ProtocolError> ClientSession::dispatch_passing(
    IncomingStream& stream, wire::ChannelStreamItem& what) {
  PassingStream& passing = passing_[stream.id().value()];
  if (auto* alias = std::get_if<wire::Alias>(&what)) {
    if (passing.alias || alias->mode != DeliveryMode::kUnordered) {
      return std::unexpected(ProtocolError{ErrorCode::kFrameUnexpected, "ALIAS that passes"});
    }
    passing.alias = std::move(*alias);
  } else if (auto* producer = std::get_if<wire::Producer>(&what)) {
    if (passing.publisher) {
      return std::unexpected(ProtocolError{ErrorCode::kFrameUnexpected, "a second PRODUCER"});
    }
    passing.publisher = std::move(producer->identity);
  } else if (const auto* gap = std::get_if<wire::GapMark>(&what)) {
    return DeliveryGap{passing.subscription, gap->alias, Gap{gap->from, gap->to, gap->reason},
                       &passing};
  } else if (const auto* messages = std::get_if<wire::Messages>(&what)) {
    DeliveryMessages delivered = delivery(stream, *messages);
    delivered.passing = &passing;
    return delivered;
  }
  return std::nullopt;
}

StreamKey ClientSession::publish(const wire::Publish& preface, std::uint8_t priority) {
  const StreamKey stream = core_.sends().add(priority);
  preface_.clear();
  wire::encode(preface, preface_);
  if (!core_.scratch().write(preface_, core_.sends().queue(stream))) {
    core_.close(ErrorCode::kLimitExceeded, "LIMIT_EXCEEDED: too much waits to be sent");
  }
  return stream;
}

void ClientSession::unsubscribe(SubscriptionId subscription) {
  core_.send(wire::Unsubscribe{subscription});
}

// spec: CREDIT-2
void ClientSession::consumed(const DeliveryMessages& messages, std::optional<Offset> next,
                             Instant now) {
  core_.consumed(messages.stream, messages.frames.size());
  if (!next) return;
  nonce_ = messages.nonce;
  note({messages.subscription, messages.channel, *next}, messages.frames.size(), now);
}

void ClientSession::consumed(const wire::DeliverDatagram& datagram, Instant now) {
  note({datagram.subscription, datagram.channel, datagram.first + datagram.count},
       datagram.frames.size(), now);
}

void ClientSession::note(const wire::ConsumedPosition& position, std::size_t size, Instant now) {
  if (consumed_.full()) send_consumed();
  consumed_.consumed(position, size, nonce_, now);
}

void ClientSession::consumed(const DirectMessages& messages) {
  core_.consumed(messages.stream, messages.frames.size());
}

void ClientSession::close(ErrorCode code, std::string_view text) {
  if (open()) core_.send(wire::Close{code, std::string(text)});
}

void ClientSession::flush(Instant now) {
  if (consumed_.due(now)) send_consumed();
}

void ClientSession::send_consumed() {
  core_.send(consumed_.frame());
  consumed_.clear();
}

}  // namespace orzatty::session
