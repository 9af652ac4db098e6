// Property: whatever a server sends, before and after its WELCOME, and however the transport
// behaves, a client's session does not abort, holds no more than its limits, returns no more credit
// than bytes came, closes once and is silent from then on, and delivers each position of a channel
// at most once on a stream.
#include "session/client_session.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include "base/assert.h"
#include "orzatty/limits.h"
#include "script.h"
#include "sink.h"
#include "wire/message.h"

namespace {

using namespace orzatty;
using fuzz::Verb;

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

class Client {
 public:
  Client() : limits_(small_limits()), session_(limits_, hello(), 1, now_) {}

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
        sink_.stop(step.argument,
                   [&](session::StreamKey key) { session_.core().sends().release(key); });
        break;
    }
    drain();
    check(step);
  }

 private:
  void feed(const fuzz::Step& step, session::Fin fin) {
    const session::RemoteStream stream = streams_.at(step.stream);
    fed_[stream.value()] += step.bytes.size();
    session_.handle_stream(stream, step.bytes, fin, now_);
    drain();
    if (fin == session::Fin::kYes) streams_.end(step.stream);
  }
  void pull(std::size_t room) {
    session_.flush(now_);
    fuzz::NoSource none;
    sink_.pull(session_.core().sends(), none, room,
               [](session::RemoteStream, BytesView, session::Fin) {});
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
  void drain() {
    while (const auto output = session_.poll(now_)) {
      ORZATTY_ASSERT(!ended_);
      if (const auto* messages = std::get_if<session::DeliveryMessages>(&*output)) {
        take_messages(*messages);
      } else if (const auto* direct = std::get_if<session::DirectMessages>(&*output)) {
        ORZATTY_ASSERT(ChannelName::parse(direct->channel).has_value());
        count(direct->frames, direct->count);
        session_.consumed(*direct);
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
  void take_messages(const session::DeliveryMessages& messages) {
    count(messages.frames, messages.count);
    const auto [next, is_first] =
        next_.try_emplace({messages.stream.value(), messages.channel.value()}, messages.first);
    ORZATTY_ASSERT(messages.first >= next->second);
    next->second = messages.first + messages.count;
    session_.consumed(messages, now_);
  }
  static void count(BytesView frames, std::uint64_t expected) {
    for (const wire::MessageView& message : wire::MessageRange(frames)) {
      ORZATTY_ASSERT(message.payload.size() <= message.frame_size && expected > 0);
      --expected;
    }
    ORZATTY_ASSERT(expected == 0);
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
  session::ClientSession session_;
  fuzz::Sink sink_{session_.core().sends()};
  fuzz::RemoteStreams streams_;
  std::map<std::uint64_t, std::uint64_t> fed_;  // bytes whose credit has not come back, by stream
  std::map<std::pair<std::uint64_t, std::uint64_t>, Offset> next_;  // by stream and channel
  bool ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Client client;
  fuzz::Script script(std::span(data, size));
  while (const auto step = script.next()) client.take(*step);
  return 0;
}
