#include "session/server_session.h"

#include <utility>

#include "base/assert.h"
#include "base/planted.h"
#include "wire/close.h"
#include "wire/drain.h"
#include "wire/ended.h"
#include "wire/reject.h"
#include "wire/subscribed.h"
#include "wire/unsubscribe.h"

namespace orzatty::session {

namespace {

std::unexpected<ProtocolError> unexpected_frame(std::string_view where) {
  return std::unexpected(ProtocolError{ErrorCode::kFrameUnexpected, where});
}

}  // namespace

ServerSession::ServerSession(const Limits& limits, std::uint64_t seed, Instant now)
    : core_(limits, wire::StreamOpener::kClient, limits.publication_count_max + limits.passing_stream_count_max,
            seed, now),
      acks_(limits),
      hello_deadline_(now + limits.hello_timeout) {}

void ServerSession::handle_control(BytesView bytes, Fin fin, Instant now) {
  core_.feed_control(bytes, fin, now);
}

// spec: SESSION-6
void ServerSession::handle_stream(RemoteStream stream, BytesView bytes, Fin fin, Instant now) {
  if (state_ == State::kOpen) {
    core_.feed_stream(stream, bytes, fin, now);
  } else {
    core_.fail({ErrorCode::kStreamUnexpected, "a stream before WELCOME"});
  }
}

// spec: DATAGRAM-2, DATAGRAM-3
void ServerSession::handle_datagram(BytesView bytes, Instant now) {
  if (state_ != State::kOpen || !core_.hear(now)) return;
  const auto datagram = wire::decode_publish_datagram(bytes);
  if (!datagram) return core_.fail(datagram.error());
  datagram_ = *datagram;
}

void ServerSession::handle_timeout(Instant now) {
  // spec: SESSION-3
  if (state_ == State::kAwaitHello && now >= hello_deadline_) {
    core_.fail({ErrorCode::kHelloTimeout, "no HELLO"});
  }
  // Before WELCOME nothing may be said, not even PING. spec: SESSION-7
  if (state_ == State::kOpen) core_.check_heartbeat(now);
}

std::optional<Instant> ServerSession::next_timeout() const {
  if (core_.closed()) return std::nullopt;
  if (state_ == State::kAwaitHello) return hello_deadline_;
  if (state_ == State::kAwaitAnswer) return std::nullopt;
  const Instant heartbeat = core_.heartbeat_timeout();
  const std::optional<Instant> ack = acks_.next_timeout();
  return ack ? std::min(*ack, heartbeat) : heartbeat;
}

std::optional<ServerOutput> ServerSession::poll() {
  if (const auto frame = core_.next_frame()) {
    auto output = dispatch(*frame);
    if (output) return std::move(*output);
    core_.fail(output.error());
  }
  while (auto item = core_.next_item()) {
    if (const auto* messages = item->messages()) return publication(*item->stream, *messages);
    auto output = dispatch(*item);
    if (!output) {
      core_.fail(output.error());
    } else if (*output) {
      return std::move(**output);
    }
  }
  if (datagram_) return PublicationDatagram{*std::exchange(datagram_, std::nullopt)};
  return core_.take_close();
}

ServerSession::Dispatched ServerSession::dispatch(const wire::Frame& frame) {
  const bool heard =
      frame.type() != wire::FrameType::kHello && base::planted(base::PlantedBug::kStrangerIsHeard);
  if (state_ == State::kOpen || heard) return dispatch_open(frame);
  // spec: SESSION-1, SESSION-6
  if (state_ == State::kAwaitAnswer) return unexpected_frame("a frame before WELCOME");
  if (frame.type() != wire::FrameType::kHello) return unexpected_frame("HELLO comes first");
  auto hello = wire::decode_hello(frame.body);
  if (!hello) return std::unexpected(hello.error());
  state_ = State::kAwaitAnswer;
  // What came with it was said before WELCOME, however soon that follows.
  if (core_.next_frame() || core_.in_control_frame() || core_.closed()) {
    return unexpected_frame("more than HELLO before WELCOME");
  }
  return HelloReceived{std::move(*hello)};
}

// spec: CONTROL-3, SESSION-11
ServerSession::Dispatched ServerSession::dispatch_open(const wire::Frame& frame) {
  switch (frame.type()) {
    case wire::FrameType::kSubscribe: {
      auto subscribe = wire::decode_subscribe(frame.body);
      if (!subscribe) return std::unexpected(subscribe.error());
      return SubscribeRequested{std::move(*subscribe)};
    }
    case wire::FrameType::kUnsubscribe: {
      const auto unsubscribe = wire::decode_unsubscribe(frame.body);
      if (!unsubscribe) return std::unexpected(unsubscribe.error());
      return UnsubscribeRequested{unsubscribe->subscription};
    }
    case wire::FrameType::kConsumed: {
      wire::Consumed consumed;
      if (auto decoded = wire::decode_consumed(frame.body, consumed); !decoded) {
        return std::unexpected(decoded.error());
      }
      return PositionsConsumed{std::move(consumed)};
    }
    case wire::FrameType::kFate: {
      auto fate = wire::decode_fate(frame.body);
      if (!fate) return std::unexpected(fate.error());
      // spec: FATE-2
      if (fate->runs.size() != 1 || fate->runs[0].kind != wire::FateKind::kAsked) {
        return std::unexpected(ProtocolError{ErrorCode::kFrameMalformed, "a question"});
      }
      return FateAsked{std::move(*fate)};
    }
    case wire::FrameType::kCancel: {
      const auto cancel = wire::decode_cancel(frame.body);
      if (!cancel) return std::unexpected(cancel.error());
      return RequestCancelled{cancel->correlation};
    }
    case wire::FrameType::kClose: {
      auto closed = wire::decode_close(frame.body);
      if (!closed) return std::unexpected(closed.error());
      core_.close(closed->code, closed->text);
      return SessionEnded{closed->code, std::move(closed->text)};
    }
    default:
      return unexpected_frame("not for a server");
  }
}

PublicationMessages ServerSession::publication(const IncomingStream& stream,
                                               const wire::Messages& messages) {
  return {.stream = stream.id(),
          .publication = PublicationId(stream.subject),
          .first = Sequence(messages.first),
          .count = messages.count,
          .nonce = messages.nonce,
          .has_attributes = messages.has_attributes,
          .frames = messages.bytes};
}

// All but messages.
std::expected<std::optional<ServerOutput>, ProtocolError> ServerSession::dispatch(
    IncomingItem& item) {
  IncomingStream& stream = *item.stream;
  const PublicationId id(stream.subject);
  if (std::holds_alternative<StreamEnd>(item.what)) {
    const bool passing = stream.passing;
    core_.forget_stream(stream.id());
    if (passing) return std::nullopt;  // the end of the publication's own stream is its end
    return PublicationClosed{id};
  }
  auto& what = std::get<wire::ChannelStreamItem>(item.what);
  if (auto* publish = std::get_if<wire::Publish>(&what)) {
    stream.subject = publish->publication.value();
    stream.passing = publish->passing;
    return PublicationOpened{stream.id(), std::move(*publish)};
  }
  if (const auto* skip = std::get_if<wire::Skip>(&what)) {
    return PublicationSkipped{id, skip->from, skip->to, skip->reason};
  }
  return unexpected_frame("not on a publication");
}

void ServerSession::welcome(const wire::Welcome& welcome, Instant now) {
  ORZATTY_ASSERT(state_ == State::kAwaitAnswer);
  state_ = State::kOpen;
  core_.open(core_.limits().heartbeat_interval, core_.limits().dead_after, now);
  core_.send(welcome);
}

void ServerSession::subscribed(SubscriptionId subscription, std::uint64_t channel_count) {
  core_.send(wire::Subscribed{subscription, channel_count});
}

void ServerSession::ended(SubscriptionId subscription, ErrorCode code, std::string_view text) {
  core_.send(wire::Ended{subscription, code, std::string(text)});
}

void ServerSession::accepted(const wire::AckRun& run, std::uint64_t bytes, std::uint32_t nonce,
                             Instant now) {
  if (acks_.full()) flush_acks();
  acks_.accepted(run, bytes, nonce, now);
}

// spec: PUBLISH-5
void ServerSession::rejected(PublicationId publication, Sequence from, Sequence to, ErrorCode code,
                             std::string_view text) {
  flush_acks();
  core_.send(wire::Reject{publication, from, to, code, std::string(text)});
}

// spec: SESSION-10
void ServerSession::drain(Duration time_left, std::string_view text) {
  flush_acks();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(time_left).count();
  core_.send(wire::Drain{std::chrono::milliseconds(left), std::string(text)});
}

void ServerSession::close(ErrorCode code, std::string_view text) {
  flush_acks();
  core_.close(code, text);
}

void ServerSession::flush(Instant now) {
  if (acks_.due(now)) flush_acks();
}

void ServerSession::flush_acks() {
  if (acks_.empty()) return;
  core_.send(acks_.ack());
  acks_.clear();
}

}  // namespace orzatty::session
