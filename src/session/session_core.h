// What both sides of a session have in common: the control stream, the incoming channel streams, the
// outgoing ones, heartbeats, credit, and the one way in which a session ends.
//
// ServerSession and ClientSession own one and give meaning to what it reads. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "orzatty/limits.h"
#include "session/control_stream.h"
#include "session/inbox.h"
#include "session/keepalive.h"
#include "session/scratch.h"
#include "session/send_table.h"
#include "session/transport.h"
#include "wire/channel_stream.h"
#include "wire/close.h"
#include "wire/ping.h"

namespace orzatty::session {

// The transport is to be closed with this; nothing comes after it.
struct CloseTransport {
  ErrorCode code = ErrorCode::kNone;
  std::string text;
};

// The peer ended the session with CLOSE.
struct SessionEnded {
  ErrorCode code = ErrorCode::kNone;
  std::string text;
};

// What an incoming stream brought: an item, or its orderly end.
struct StreamEnd {};
struct IncomingItem {
  IncomingStream* stream = nullptr;
  std::variant<StreamEnd, wire::ChannelStreamItem> what;

  // What most of them are.
  [[nodiscard]] const wire::Messages* messages() const {
    const auto* item = std::get_if<wire::ChannelStreamItem>(&what);
    return item == nullptr ? nullptr : std::get_if<wire::Messages>(item);
  }
};

class SessionCore {
 public:
  SessionCore(const Limits& limits, wire::StreamOpener peer, std::size_t stream_count_max,
              std::uint64_t seed, Instant now);
  SessionCore(const SessionCore&) = delete;
  SessionCore& operator=(const SessionCore&) = delete;

  // Bytes are borrowed until next_frame() or next_item() returned nothing.
  void feed_control(BytesView bytes, Fin fin, Instant now);
  void feed_stream(RemoteStream stream, BytesView bytes, Fin fin, Instant now);
  void reset_stream(RemoteStream stream);
  // Something of the peer that is read elsewhere. False when nothing of it counts any more.
  [[nodiscard]] bool hear(Instant now);
  void forget_stream(RemoteStream stream) { inbox_.close(stream); }
  // Frames of the control stream but PING and PONG, which are answered here.
  [[nodiscard]] std::optional<wire::Frame> next_frame();
  [[nodiscard]] std::optional<IncomingItem> next_item();

  void check_heartbeat(Instant now);
  [[nodiscard]] Instant heartbeat_timeout() const { return keepalive_.next_timeout(); }
  // WELCOME was said: from here on PINGs are sent and answered, and control frames may be longer.
  void open(Duration heartbeat_interval, Duration dead_after, Instant now);
  // A PING of ours; its answer is counted.
  std::uint64_t ping();
  // The newest ping() that was answered.
  [[nodiscard]] std::uint64_t pongs() const { return pongs_; }

  template <class Message>
  void send(const Message& message) {
    if (!closed_ && !control_.send(message)) {
      close(ErrorCode::kLimitExceeded, "LIMIT_EXCEEDED: replies are not read");
    }
  }
  // The first reason counts. Nothing is queued afterwards; what was before leaves if whoever drives
  // the transport waits for it before it closes.
  void close(ErrorCode code, std::string_view text);
  void fail(const ProtocolError& error);
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] ErrorCode close_code() const { return close_code_; }
  // Once.
  [[nodiscard]] std::optional<CloseTransport> take_close();

  // `size` bytes of messages were consumed: the peer may send as many again.
  void consumed(RemoteStream stream, std::uint64_t size);
  [[nodiscard]] std::vector<Credit>& credits() { return credits_; }

  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] SendTable& sends() { return sends_; }
  [[nodiscard]] std::uint64_t in_flight() const { return sends_.in_flight(); }
  [[nodiscard]] Scratch& scratch() { return scratch_; }
  [[nodiscard]] std::uint32_t draw_nonce() { return static_cast<std::uint32_t>(prng_.next()); }
  [[nodiscard]] std::size_t held() const { return inbox_.held() + control_.held(); }
  [[nodiscard]] bool in_control_frame() const { return control_.held() > 0; }

 private:
  [[nodiscard]] std::optional<IncomingItem> end_feed();
  // Answers PING and PONG; false when the frame is somebody else's.
  [[nodiscard]] bool answer(const wire::Frame& frame);
  void count(const wire::Pong& pong);

  Limits limits_;
  base::Prng prng_;
  Scratch scratch_;
  SendTable sends_;
  ControlStream control_;
  Inbox inbox_;
  Keepalive keepalive_;
  bool open_ = false;
  bool closed_ = false;
  ErrorCode close_code_ = ErrorCode::kNone;
  std::uint64_t pings_ = 0;
  std::uint64_t pongs_ = 0;
  std::optional<CloseTransport> closing_;
  std::vector<Credit> credits_;

  // What was fed and is not used up.
  bool control_fed_ = false;
  Fin control_fin_ = Fin::kNo;
  IncomingStream* fed_ = nullptr;
  std::size_t fed_held_ = 0;
  Fin fed_fin_ = Fin::kNo;
};

}  // namespace orzatty::session
