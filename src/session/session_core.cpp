#include "session/session_core.h"


namespace orzatty::session {

SessionCore::SessionCore(const Limits& limits, wire::StreamOpener peer,
                         std::size_t stream_count_max, std::uint64_t seed, Instant now)
    : limits_(limits),
      prng_(seed),
      scratch_(limits.control_backlog_max),
      control_(peer == wire::StreamOpener::kClient ? limits.hello_size_max
                                                   : limits.control_frame_size_max,
               scratch_, sends_),
      inbox_(peer, limits.message_size_max, stream_count_max),
      keepalive_(limits.heartbeat_interval, limits.dead_after, now) {}

void SessionCore::feed_control(BytesView bytes, Fin fin, Instant now) {
  if (closed_) return;
  keepalive_.heard(now);
  control_.feed(bytes);
  control_fed_ = true;
  control_fin_ = fin;
}

void SessionCore::feed_stream(RemoteStream stream, BytesView bytes, Fin fin, Instant now) {
  if (closed_) return;
  keepalive_.heard(now);
  fed_ = inbox_.open(stream);
  // spec: STREAM-9
  if (fed_ == nullptr) return fail({ErrorCode::kLimitExceeded, "too many channel streams"});
  fed_held_ = fed_->reader().held();
  fed_fin_ = fin;
  fed_->fed += bytes.size();
  fed_->reader().feed(bytes);
}

bool SessionCore::hear(Instant now) {
  if (!closed_) keepalive_.heard(now);
  return !closed_;
}

// spec: STREAM-10
void SessionCore::reset_stream(RemoteStream stream) {
  if (inbox_.find(stream) == nullptr) return;
  fail({ErrorCode::kStreamUnexpected, "a channel stream was reset"});
}

std::optional<wire::Frame> SessionCore::next_frame() {
  while (control_fed_ && !closed_) {
    const auto frame = control_.next();
    if (!frame) {
      fail(frame.error());
    } else if (!*frame) {
      control_fed_ = false;
      // spec: SESSION-13
      if (control_fin_ == Fin::kYes) {
        fail({ErrorCode::kStreamUnexpected, "the control stream ended"});
      }
    } else if (!answer(**frame)) {
      return **frame;
    }
  }
  return std::nullopt;
}

// spec: SESSION-8
bool SessionCore::answer(const wire::Frame& frame) {
  if (!open_) return false;
  if (frame.type() == wire::FrameType::kPing) {
    const auto ping = wire::decode_ping(frame.body);
    if (ping) {
      send(wire::Pong{ping->opaque});
    } else {
      fail(ping.error());
    }
    return true;
  }
  if (frame.type() == wire::FrameType::kPong) {
    if (const auto pong = wire::decode_pong(frame.body)) {
      count(*pong);
    } else {
      fail(pong.error());
    }
    return true;
  }
  return false;
}

std::optional<IncomingItem> SessionCore::next_item() {
  if (fed_ == nullptr || closed_) return std::nullopt;
  auto item = fed_->reader().next();
  if (!item) {
    fed_ = nullptr;
    fail(item.error());
    return std::nullopt;
  }
  if (std::holds_alternative<wire::NeedMore>(*item)) return end_feed();
  if (const auto* messages = std::get_if<wire::Messages>(&*item)) {
    fed_->surfaced += messages->bytes.size();
    return std::optional<IncomingItem>(std::in_place, fed_, *messages);
  }
  return IncomingItem{fed_, std::move(*item)};
}

// What was fed is used up: held bytes are accounted, those that were no messages go back as credit,
// and a FIN is looked at.
std::optional<IncomingItem> SessionCore::end_feed() {
  IncomingStream& stream = *std::exchange(fed_, nullptr);
  inbox_.account(stream, fed_held_);
  if (inbox_.held() > limits_.reassembly_size_max) {
    fail({ErrorCode::kLimitExceeded, "too much in unfinished messages"});
    return std::nullopt;
  }
  const std::uint64_t marks = stream.fed - stream.surfaced - stream.reader().held();
  if (marks > stream.credited_marks) {
    consumed(stream.id(), marks - stream.credited_marks);
    stream.credited_marks = marks;
  }
  if (fed_fin_ == Fin::kNo) return std::nullopt;
  // spec: STREAM-10
  if (!stream.reader().at_boundary()) {
    fail({ErrorCode::kStreamUnexpected, "a channel stream was cut off"});
    return std::nullopt;
  }
  return IncomingItem{&stream, StreamEnd{}};
}

void SessionCore::check_heartbeat(Instant now) {
  if (closed_) return;
  switch (keepalive_.check(now)) {
    case Keepalive::Verdict::kQuiet: break;
    case Keepalive::Verdict::kPing: send(wire::Ping{}); break;
    case Keepalive::Verdict::kDead: fail({ErrorCode::kPeerSilent, "no heartbeat"}); break;
  }
}

// spec: SESSION-2, SESSION-8
void SessionCore::open(Duration heartbeat_interval, Duration dead_after, Instant now) {
  open_ = true;
  keepalive_ = Keepalive(heartbeat_interval, dead_after, now);
  control_.set_size_max(limits_.control_frame_size_max);
}

std::uint64_t SessionCore::ping() {
  wire::Ping ping;
  ++pings_;
  for (std::size_t i = 0; i < ping.opaque.size(); ++i) {
    ping.opaque[i] = static_cast<std::byte>(pings_ >> (8 * i));
  }
  send(ping);
  return pings_;
}

// One that answers nothing is nobody's harm.
void SessionCore::count(const wire::Pong& pong) {
  std::uint64_t number = 0;
  for (std::size_t i = pong.opaque.size(); i-- > 0;) {
    number = number << 8 | std::to_integer<std::uint64_t>(pong.opaque[i]);
  }
  if (number > pongs_ && number <= pings_) pongs_ = number;
}

void SessionCore::close(ErrorCode code, std::string_view text) {
  if (closed_) return;
  closed_ = true;
  close_code_ = code;
  closing_ = CloseTransport{code, std::string(text)};
}

// spec: SESSION-12
void SessionCore::fail(const ProtocolError& error) {
  std::string text(name(error.code));
  text.append(": ").append(error.where);
  close(error.code, text);
}

std::optional<CloseTransport> SessionCore::take_close() { return std::exchange(closing_, {}); }

void SessionCore::consumed(RemoteStream stream, std::uint64_t size) {
  if (!credits_.empty() && credits_.back().stream == stream) {
    credits_.back().size += size;
  } else {
    credits_.push_back({stream, size});
  }
}

}  // namespace orzatty::session
