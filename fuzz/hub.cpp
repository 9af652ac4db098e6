// Property: whatever up to four peers send to one hub, however their transports behave, and
// whatever the program around it does, the hub does not abort, its memory stays within what its
// limits allow, it says only what a client's session accepts, and when the peers are gone nothing
// of them is left.
#include "hub/hub.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "counted_memory.h"
#include "orzatty/limits.h"
#include "script.h"
#include "session/client_session.h"
#include "sink.h"
#include "wire/message.h"

namespace {

using namespace orzatty;
using fuzz::Verb;

constexpr std::size_t kPeerCount = 4;
constexpr std::uint32_t kHubSizeMax = 512 * 1024;
// Of the hub and of what the target itself keeps of each peer: logs, and per peer marks, replies,
// unfinished frames, four direct logs, the sink's copies of all that is on its way, and a witness.
constexpr std::size_t kMemoryMax = kHubSizeMax + kPeerCount * 512 * 1024;

ChannelName channel(std::string_view text) { return *ChannelName::parse(text); }

Limits small_limits() {
  Limits limits;
  limits.message_size_max = 4096;
  limits.hello_size_max = 1024;
  limits.control_frame_size_max = 4096;
  limits.publication_count_max = 3;
  limits.subscription_count_max = 3;
  limits.subscription_channel_count_max = 4;
  limits.control_backlog_max = 32 * 1024;
  limits.outbox_size_max = 16 * 1024;
  limits.connection_window = 32 * 1024;
  limits.reassembly_size_max = 8 * 1024;
  limits.pinned_size_max = 16 * 1024;
  limits.channel_count_max = 6;
  limits.channel_size_max = 32 * 1024;
  limits.hub_size_max = kHubSizeMax;
  limits.segment_keep_max = 64 * 1024;
  return limits;
}

// One channel of each policy, all of them soon full.
hub::HubConfig config() {
  const auto rule = [](std::string_view pattern, SlowPolicy policy) {
    return hub::ChannelRule{
        *ChannelPattern::parse(pattern),
        {.retention = {.count = 8, .bytes = 4096, .age = 2s}, .slow_policy = policy}};
  };
  return {.limits = small_limits(),
          .rules = {{*ChannelPattern::parse("g"), {.mode = DeliveryMode::kDatagram, .retention = {}}},
                    rule("o", SlowPolicy::kDropOldest), rule("l", SlowPolicy::kLatest),
                    rule("d", SlowPolicy::kDisconnect)},
          .channel_default = {.retention = {.count = 0, .bytes = 8192, .age = {}},
                              .slow_policy = SlowPolicy::kWait}};
}

// What the target keeps of one connection.
struct Connection {
  explicit Connection(session::SendTable& sends) : sink(sends) {}
  fuzz::Sink sink;
  session::ClientSession witness{Limits{}, {}, 1, Instant{}};  // is told all that the hub says
  fuzz::RemoteStreams streams;
  bool waiting = false;  // for an answer to its HELLO
  bool closed = false;
};

class World {
 public:
  World() { hub_.handle_channel(channel("h"), 7); }

  void take(const fuzz::Step& step) {
    Connection& connection = connect(step.peer);
    const hub::PeerKey peer = keys_[step.peer];
    switch (step.verb) {
      case Verb::kControl:
        hub_.handle_control(peer, step.bytes, session::Fin::kNo, now_);
        break;
      case Verb::kControlEnd:
        hub_.handle_control(peer, {}, session::Fin::kYes, now_);
        break;
      case Verb::kStream:
      case Verb::kStreamEnd:
        feed(step);
        break;
      case Verb::kDatagram:
        hub_.handle_datagram(peer, step.bytes, now_);
        break;
      case Verb::kReset:
        hub_.handle_stream_reset(peer, connection.streams.at(step.stream), now_);
        connection.streams.end(step.stream);
        break;
      case Verb::kPull:
        pull(step.peer, step.argument * std::size_t{16});
        break;
      case Verb::kAcknowledge:
        acknowledge(step.peer, step.argument);
        break;
      case Verb::kUnblock:
        connection.sink.unblock(hub_.sends(peer));
        break;
      case Verb::kTime:
        pass(step.argument);
        break;
      case Verb::kAsk:
        ask(step);
        break;
      case Verb::kStop:
        stop(step.peer, step.argument);
        break;
    }
    drain();
    check();
  }
  void leave_all() {
    for (std::uint8_t peer = 0; peer < kPeerCount; ++peer) lose(peer);
    drain();
    const hub::HubCounters& counters = hub_.counters();
    ORZATTY_ASSERT(counters.peers == 0 && counters.subscriptions == 0);
  }

 private:
  Connection& connect(std::uint8_t number) {
    if (connections_[number] == nullptr) {
      keys_[number] = hub_.open_peer(now_);
      connections_[number] = std::make_unique<Connection>(hub_.sends(keys_[number]));
    }
    return *connections_[number];
  }
  void lose(std::uint8_t number) {
    if (connections_[number] == nullptr) return;
    connections_[number]->sink.check();
    hub_.lose_peer(keys_[number], now_);
    connections_[number].reset();
  }
  void feed(const fuzz::Step& step) {
    fuzz::RemoteStreams& streams = connections_[step.peer]->streams;
    const bool last = step.verb == Verb::kStreamEnd;
    hub_.handle_stream(keys_[step.peer], streams.at(step.stream), step.bytes,
                       last ? session::Fin::kYes : session::Fin::kNo, now_);
    drain();
    if (last) streams.end(step.stream);
  }
  void pull(std::uint8_t number, std::size_t room) {
    const hub::PeerKey peer = keys_[number];
    Connection& connection = *connections_[number];
    hub_.flush(peer, now_);
    hub_.credits(peer).clear();
    connection.sink.pull(hub_.sends(peer), hub_.source(peer), room,
                         [&](session::RemoteStream stream, BytesView bytes, session::Fin fin) {
                           tell(connection.witness, stream, bytes, fin);
                         });
    hub_.written(peer, now_);
    for (const auto& [tag, bytes] : connection.sink.datagrams) {
      carry_datagram(peer, connection.witness, tag, bytes);
    }
    connection.sink.datagrams.clear();
  }
  // Every other one arrives.
  void carry_datagram(hub::PeerKey peer, session::ClientSession& witness, session::DatagramTag tag,
                      BytesView bytes) {
    if (tag.value() % 2 == 1) return hub_.datagram_lost(peer, tag);
    witness.handle_datagram(bytes, now_);
    while (const auto output = witness.poll(now_)) {
      ORZATTY_ASSERT(!std::holds_alternative<session::CloseTransport>(*output));
    }
    hub_.datagram_acked(peer, tag);
  }
  void tell(session::ClientSession& witness, session::RemoteStream stream, BytesView bytes,
            session::Fin fin) {
    if (stream.value() == 0) {
      witness.handle_control(bytes, fin, now_);
    } else {
      witness.handle_stream(stream, bytes, fin, now_);
    }
    while (const auto output = witness.poll(now_)) {
      ORZATTY_ASSERT(!std::holds_alternative<session::CloseTransport>(*output));
    }
  }
  void acknowledge(std::uint8_t number, std::size_t which) {
    const hub::PeerKey peer = keys_[number];
    connections_[number]->sink.acknowledge(
        which,
        [&](session::StreamKey key, std::uint64_t size) { hub_.acked(peer, key, size, now_); },
        [&](session::StreamKey key) { hub_.stream_closed(peer, key, now_); });
  }
  // A peer that refuses a stream is closed before the stream goes.
  void stop(std::uint8_t number, std::size_t which) {
    const hub::PeerKey peer = keys_[number];
    hub_.close_peer(peer, ErrorCode::kStreamUnexpected, "a stream was refused", now_);
    connections_[number]->sink.stop(
        which, [&](session::StreamKey key) { hub_.stream_closed(peer, key, now_); });
  }
  void pass(std::uint8_t argument) {
    now_ += argument * std::chrono::milliseconds(20);
    tick();
    tick();  // a timer that was moved meanwhile may still call once: it is early, never late
    const auto next = hub_.next_timeout();
    ORZATTY_ASSERT(!next || *next > now_);  // or its owner would never rest
  }
  void tick() {
    hub_.handle_timeout(now_);
    drain();
    for (std::uint8_t number = 0; number < kPeerCount; ++number) {
      if (connections_[number] != nullptr) hub_.flush(keys_[number], now_);
    }
  }
  void ask(const fuzz::Step& step) {
    static constexpr std::array kNames{"a", "b.c", "o", "l", "d", "h", "b.d", "b.e"};
    const hub::PeerKey peer = keys_[step.peer];
    const ChannelName name = channel(kNames[step.argument & 7U]);
    const Bytes payload((step.argument >> 3U) * std::size_t{128}, std::byte{'x'});
    if (connections_[step.peer]->waiting) return answer(step.peer, step.argument);
    switch (step.stream) {
      case 0:
        static_cast<void>(hub_.publish(name, MessageType::kRaw, payload, now_));
        break;
      case 1:
        static_cast<void>(hub_.send_direct(peer, name, MessageType::kText, payload));
        break;
      case 2:
        hub_.drain(std::chrono::seconds(step.argument), "going");
        break;
      default:
        lose(step.peer);
        break;
    }
  }
  void answer(std::uint8_t number, std::uint8_t argument) {
    connections_[number]->waiting = false;
    if (argument % 4 == 0) {
      hub_.refuse(keys_[number], ErrorCode::kAuthenticationFailed, "no", now_);
    } else {
      hub_.admit(keys_[number], number % 2 == 0 ? "even" : "odd", {}, now_);
    }
  }
  void drain() {
    while (const auto output = hub_.poll()) {
      if (const auto* needed = std::get_if<hub::AuthenticationNeeded>(&*output)) {
        const std::uint8_t number = number_of(needed->peer);
        connections_[number]->waiting = true;
        if (needed->hello.token.size() < 8) answer(number, 1);  // a longer one is looked up first
      } else if (const auto* closed = std::get_if<hub::TransportClosed>(&*output)) {
        Connection& connection = *connections_[number_of(closed->peer)];
        ORZATTY_ASSERT(!connection.closed);
        connection.closed = true;
      } else if (const auto* messages = std::get_if<hub::HandlerMessages>(&*output)) {
        echo(*messages);
      }
    }
    ready_.clear();
    hub_.take_ready(ready_);
    for (const hub::PeerKey peer : ready_) ORZATTY_ASSERT(hub_.has_peer(peer));
  }
  void echo(const hub::HandlerMessages& messages) {
    ORZATTY_ASSERT(messages.handler == 7 && messages.channel == "h");
    std::uint64_t count = 0;
    for (const wire::MessageView& message : wire::MessageRange(messages.frames)) {
      static_cast<void>(
          hub_.send_direct(messages.peer, channel("h"), message.type, message.payload));
      ++count;
    }
    ORZATTY_ASSERT(count == messages.count);
  }
  [[nodiscard]] std::uint8_t number_of(hub::PeerKey peer) const {
    const auto found = std::ranges::find(keys_, peer);
    ORZATTY_ASSERT(found != keys_.end());
    return static_cast<std::uint8_t>(found - keys_.begin());
  }
  void check() const {
    const Limits limits = small_limits();
    const hub::HubCounters& counters = hub_.counters();
    ORZATTY_ASSERT(counters.peers <= kPeerCount && counters.channels <= limits.channel_count_max);
    ORZATTY_ASSERT(counters.subscriptions <= kPeerCount * limits.subscription_count_max);
    for (const auto& connection : connections_) {
      if (connection != nullptr) connection->sink.check();
    }
  }

  Instant now_{};
  hub::Hub hub_{config(), 1, now_};
  std::array<hub::PeerKey, kPeerCount> keys_{};
  std::array<std::unique_ptr<Connection>, kPeerCount> connections_;
  std::vector<hub::PeerKey> ready_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::size_t before = fuzz::memory_in_use;
  {
    World world;
    fuzz::Script script(std::span(data, size));
    while (const auto step = script.next()) {
      world.take(*step);
      ORZATTY_ASSERT(fuzz::memory_in_use - before <= kMemoryMax);
    }
    world.leave_all();
  }
  ORZATTY_ASSERT(fuzz::memory_in_use == before);
  return 0;
}
