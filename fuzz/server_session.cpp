// Property: whatever a peer sends, before and after it was let in, and however the transport
// behaves, a server's session does not abort, holds no more than its limits, returns no more credit
// than bytes came, closes once and is silent from then on, and says only what a client's session
// accepts.
#include "session/server_session.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <span>

#include "base/assert.h"
#include "orzatty/limits.h"
#include "script.h"
#include "session/client_session.h"
#include "sink.h"

namespace {

using namespace orzatty;
using fuzz::Verb;

Limits small_limits() {
  Limits limits;
  limits.message_size_max = 4096;
  limits.hello_size_max = 1024;
  limits.control_frame_size_max = 4096;
  limits.publication_count_max = 3;
  limits.reassembly_size_max = 8 * 1024;
  limits.control_backlog_max = 32 * 1024;
  return limits;
}

class Server {
 public:
  Server() : limits_(small_limits()), session_(limits_, 1, now_), witness_(Limits{}, {}, 1, now_) {}

  void take(const fuzz::Step& step) {
    switch (step.verb) {
      case Verb::kControl:
        session_.handle_control(step.bytes, session::Fin::kNo, now_);
        break;
      case Verb::kControlEnd:
        session_.handle_control({}, session::Fin::kYes, now_);
        break;
      case Verb::kStream:
        feed(step, session::Fin::kNo);
        break;
      case Verb::kStreamEnd:
        feed(step, session::Fin::kYes);
        break;
      case Verb::kReset:
        session_.handle_stream_reset(streams_.at(step.stream));
        streams_.end(step.stream);
        break;
      case Verb::kPull:
        pull(step.argument * std::size_t{16});
        break;
      case Verb::kAcknowledge:
        acknowledge(step.argument);
        break;
      case Verb::kUnblock:
        sink_.unblock(session_.core().sends());
        break;
      case Verb::kTime:
        pass(step.argument);
        break;
      case Verb::kAsk:
        ask(step.argument);
        break;
      case Verb::kStop:
        break;  // a server's session opens no stream by itself
    }
    drain();
    check(step);
  }

 private:
  void feed(const fuzz::Step& step, session::Fin fin) {
    const session::RemoteStream stream = streams_.at(step.stream);
    fed_[stream.value()] += step.bytes.size();
    session_.handle_stream(stream, step.bytes, fin, now_);
    if (fin == session::Fin::kYes) streams_.end(step.stream);
  }
  void pull(std::size_t room) {
    session_.flush(now_);
    fuzz::NoSource none;
    sink_.pull(session_.core().sends(), none, room,
               [&](session::RemoteStream, BytesView bytes, session::Fin fin) {
                 witness_.handle_control(bytes, fin, now_);
                 while (const auto output = witness_.poll(now_)) {
                   ORZATTY_ASSERT(!std::holds_alternative<session::CloseTransport>(*output));
                 }
               });
  }
  void acknowledge(std::size_t which) {
    session::SendTable& sends = session_.core().sends();
    sink_.acknowledge(
        which, [&](session::StreamKey key, std::uint64_t size) { sends.acked(key, size); },
        [&](session::StreamKey key) { sends.release(key); });
  }
  void pass(std::uint8_t argument) {
    now_ += argument * std::chrono::milliseconds(50);
    session_.handle_timeout(now_);
    drain();
    session_.flush(now_);
    const auto next = session_.next_timeout();
    ORZATTY_ASSERT(!next || *next > now_);  // or its owner would never rest
  }
  void ask(std::uint8_t argument) {
    if (waiting_ && !session_.core().closed()) return welcome();
    if (!session_.open()) return;
    const std::uint64_t id = argument >> 2U;
    switch (argument & 3U) {
      case 0:
        session_.ended(SubscriptionId(id), ErrorCode::kSlowSubscriber, "slow");
        break;
      case 1:
        session_.rejected(PublicationId(id), Sequence(id), Sequence(id + 1), ErrorCode::kOverloaded,
                          "later");
        break;
      case 2:
        session_.drain(std::chrono::milliseconds(id), "going");
        break;
      case 3:
        session_.close(ErrorCode::kOverloaded, "enough");
        break;
    }
  }
  void welcome() {
    using std::chrono::duration_cast, std::chrono::milliseconds;
    waiting_ = false;
    session_.welcome({.version = 1,
                      .features = 0,
                      .session = {},
                      .resumed = false,
                      .identity = "fuzz",
                      .message_size_max = limits_.message_size_max,
                      .heartbeat_interval = duration_cast<milliseconds>(limits_.heartbeat_interval),
                      .dead_after = duration_cast<milliseconds>(limits_.dead_after),
                      .producers = {},
                      .subscriptions = {}},
                     now_);
  }
  void drain() {
    while (const auto output = session_.poll()) {
      ORZATTY_ASSERT(!ended_);
      if (const auto* hello = std::get_if<session::HelloReceived>(&*output)) {
        waiting_ = true;
        if (hello->hello.token.size() < 8) welcome();  // a longer one is looked up first
      } else if (const auto* messages = std::get_if<session::PublicationMessages>(&*output)) {
        take_messages(*messages);
      } else if (const auto* request = std::get_if<session::SubscribeRequested>(&*output)) {
        session_.subscribed(request->subscribe.subscription, 1);
      }
      ended_ = std::holds_alternative<session::CloseTransport>(*output);
    }
    for (const session::Credit& credit : session_.core().credits()) {
      std::uint64_t& fed = fed_[credit.stream.value()];
      ORZATTY_ASSERT(credit.size <= fed);
      fed -= credit.size;
    }
    session_.core().credits().clear();
  }
  void take_messages(const session::PublicationMessages& messages) {
    session_.accepted({.publication = messages.publication,
                       .first = messages.first,
                       .count = messages.count,
                       .first_offset = Offset(messages.first.value()),
                       .duplicate = false},
                      messages.frames.size(), messages.nonce, now_);
    session_.core().consumed(messages.stream, messages.frames.size());
  }
  void check(const fuzz::Step& step) {
    const std::size_t held_max =
        limits_.reassembly_size_max + limits_.control_frame_size_max + step.bytes.size();
    ORZATTY_ASSERT(session_.core().held() <= held_max + wire::kFrameHeaderSizeMax);
    ORZATTY_ASSERT(session_.core().scratch().in_use() <= limits_.control_backlog_max);
    sink_.check();
  }

  Limits limits_;
  Instant now_{};
  session::ServerSession session_;
  session::ClientSession witness_;  // is told all that the session says
  fuzz::Sink sink_{session_.core().sends()};
  fuzz::RemoteStreams streams_;
  std::map<std::uint64_t, std::uint64_t> fed_;  // bytes whose credit has not come back, by stream
  bool waiting_ = false;
  bool ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Server server;
  fuzz::Script script(std::span(data, size));
  while (const auto step = script.next()) server.take(*step);
  return 0;
}
