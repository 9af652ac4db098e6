// Property: whatever a server sends, before and after its WELCOME, and however the transport
// behaves, a client's session does not abort, holds no more than its limits, returns no more credit
// than bytes came, closes once and is silent from then on, and delivers each position of a channel
// at most once on a stream.
#include "session/client_session.h"

#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include "base/assert.h"
#include "orzatty/limits.h"
#include "script.h"
#include "session_run.h"
#include "wire/message.h"

namespace {

using namespace orzatty;

Limits small_limits() {
  Limits limits;
  limits.message_size_max = 4096;
  limits.control_frame_size_max = 4096;
  limits.subscription_count_max = 2;
  limits.reassembly_size_max = 8 * 1024;
  limits.control_backlog_max = 32 * 1024;
  return limits;
}

wire::Hello hello() {
  wire::Hello hello;
  hello.versions = {1};
  hello.agent = "fuzz";
  return hello;
}

class Client final : public fuzz::SessionRun<session::ClientSession> {
 public:
  Client() : SessionRun(small_limits(), hello(), std::uint64_t{1}) {}

 private:
  void ask(std::uint8_t argument) override {
    if (!session_.open()) return;
    const std::uint64_t id = argument >> 2U;
    switch (argument & 3U) {
      case 0:
        session_.subscribe({.subscription = SubscriptionId(id),
                            .pattern = *ChannelPattern::parse("a.>"),
                            .start = StartPosition::start(),
                            .positions = {}});
        break;
      case 1:
        session_.unsubscribe(SubscriptionId(id));
        break;
      case 2:
        publish(id);
        break;
      case 3:
        session_.close(ErrorCode::kClosedByUser, "bye");
        break;
    }
  }
  void publish(std::uint64_t id) {
    const session::StreamKey stream = session_.publish({.publication = PublicationId(id),
                                                        .producer = {},
                                                        .epoch = ProducerEpoch(1),
                                                        .next = Sequence(0),
                                                        .channel = *ChannelName::parse("a")});
    if ((id & 1U) != 0) session_.core().sends().finish(stream);
  }
  fuzz::Said take_output() override {
    const auto output = session_.poll(now_);
    if (!output) return fuzz::Said::kNothing;
    if (const auto* messages = std::get_if<session::DeliveryMessages>(&*output)) {
      take_messages(*messages);
    } else if (const auto* direct = std::get_if<session::DirectMessages>(&*output)) {
      ORZATTY_ASSERT(ChannelName::parse(direct->channel).has_value());
      count(direct->frames, direct->count);
      session_.consumed(*direct);
    }
    const bool closes = std::holds_alternative<session::CloseTransport>(*output);
    return closes ? fuzz::Said::kClose : fuzz::Said::kSomething;
  }
  void leave(session::RemoteStream, BytesView, session::Fin) override {}
  void take_messages(const session::DeliveryMessages& messages) {
    count(messages.frames, messages.count);
    const auto [next, is_first] =
        next_.try_emplace({messages.stream.value(), messages.channel.value()}, messages.first);
    ORZATTY_ASSERT(messages.first >= next->second);
    next->second = messages.first + messages.count;
    session_.consumed(messages, messages.first + messages.count, now_);
  }
  static void count(BytesView frames, std::uint64_t expected) {
    for (const wire::MessageView& message : wire::MessageRange(frames)) {
      ORZATTY_ASSERT(message.payload.size() <= message.frame_size && expected > 0);
      --expected;
    }
    ORZATTY_ASSERT(expected == 0);
  }

  std::map<std::pair<std::uint64_t, std::uint64_t>, Offset> next_;  // by stream and channel
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Client client;
  fuzz::Script script(std::span(data, size));
  while (const auto step = script.next()) client.take(*step);
  return 0;
}
