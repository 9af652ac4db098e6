// Property: whatever a peer sends, before and after it was let in, and however the transport
// behaves, a server's session does not abort, holds no more than its limits, returns no more credit
// than bytes came, closes once and is silent from then on, and says only what a client's session
// accepts.
#include "session/server_session.h"

#include <chrono>
#include <cstdint>
#include <span>

#include "base/assert.h"
#include "orzatty/limits.h"
#include "script.h"
#include "session/client_session.h"
#include "session_run.h"

namespace {

using namespace orzatty;

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

class Server final : public fuzz::SessionRun<session::ServerSession> {
 public:
  Server() : SessionRun(small_limits(), std::uint64_t{1}), witness_(Limits{}, {}, 1, now_) {}

 private:
  void ask(std::uint8_t argument) override {
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
  fuzz::Said take_output() override {
    const auto output = session_.poll();
    if (!output) return fuzz::Said::kNothing;
    if (const auto* hello = std::get_if<session::HelloReceived>(&*output)) {
      waiting_ = true;
      if (hello->hello.token.size() < 8) welcome();  // a longer one is looked up first
    } else if (const auto* messages = std::get_if<session::PublicationMessages>(&*output)) {
      take_messages(*messages);
    } else if (const auto* request = std::get_if<session::SubscribeRequested>(&*output)) {
      session_.subscribed(request->subscribe.subscription, 1);
    }
    const bool closes = std::holds_alternative<session::CloseTransport>(*output);
    return closes ? fuzz::Said::kClose : fuzz::Said::kSomething;
  }
  void leave(session::RemoteStream, BytesView bytes, session::Fin fin) override {
    witness_.handle_control(bytes, fin, now_);
    while (const auto output = witness_.poll(now_)) {
      ORZATTY_ASSERT(!std::holds_alternative<session::CloseTransport>(*output));
    }
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

  session::ClientSession witness_;  // is told all that the session says
  bool waiting_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Server server;
  fuzz::Script script(std::span(data, size));
  while (const auto step = script.next()) server.take(*step);
  return 0;
}
