// Two sessions face to face without a network: what one offers is given to the other, as often and
// in as small pieces as a test wants. For the tests of this layer and of those above it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "session/client_session.h"
#include "session/outbox.h"
#include "session/server_session.h"

namespace orzatty::session::test {

// A source without anything.
class NoSource final : public Refill {
 public:
  void refill(StreamKey, SendQueue&) override {}
};

// Outboxes by the stream that carries them.
class OutboxSource final : public Refill {
 public:
  explicit OutboxSource(Scratch& scratch) : scratch_(scratch) {}
  void carry(StreamKey stream, Outbox& outbox) { outboxes_[stream] = &outbox; }
  void refill(StreamKey stream, SendQueue& queue) override {
    const auto found = outboxes_.find(stream);
    if (found != outboxes_.end()) found->second->fill(queue, scratch_, 7);
  }

 private:
  Scratch& scratch_;
  std::map<StreamKey, Outbox*> outboxes_;
};

// The way from one side's SendTable to the other side's handlers. Everything arrives, in order, in
// pieces of at most `piece_max` bytes, and is acknowledged at once.
class Pipe {
 public:
  std::size_t piece_max = static_cast<std::size_t>(-1);

  // deliver(stream, bytes, fin), with kControlKey's stream as RemoteStream(0).
  template <class Deliver>
  bool carry(SendTable& sends, Refill& source, Deliver deliver) {
    bool moved = false;
    while (const auto key = sends.next_to_open()) {
      sends.opened(*key);
      streams_[*key] = RemoteStream(++streams_opened_);
    }
    while (const auto offer = sends.offer(source)) {
      moved = true;
      bytes_.clear();
      for (const BytesView span : offer->bytes()) {
        bytes_.insert(bytes_.end(), span.begin(), span.end());
      }
      sends.taken(offer->stream, bytes_.size(), offer->fin);
      sends.acked(offer->stream, bytes_.size());
      BytesView rest = bytes_;
      do {
        const BytesView piece = rest.first(std::min(rest.size(), piece_max));
        rest = rest.subspan(piece.size());
        deliver(streams_[offer->stream], piece, rest.empty() ? offer->fin : Fin::kNo);
      } while (!rest.empty());
    }
    return moved;
  }

 private:
  std::map<StreamKey, RemoteStream> streams_;
  std::uint64_t streams_opened_ = 0;
  Bytes bytes_;
};

inline wire::Hello hello() {
  wire::Hello hello;
  hello.versions = {1};
  hello.token = copy_of(bytes_of("secret"));
  hello.agent = "test";
  return hello;
}

inline wire::Welcome welcome(const Limits& limits) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  wire::Welcome welcome;
  welcome.identity = "alice";
  welcome.message_size_max = limits.message_size_max;
  welcome.publication_count_max = limits.publication_count_max;
  welcome.heartbeat_interval = duration_cast<milliseconds>(limits.heartbeat_interval);
  welcome.dead_after = duration_cast<milliseconds>(limits.dead_after);
  return welcome;
}

template <class Message>
Bytes frame(const Message& message) {
  Bytes out;
  encode(message, out);
  return out;
}

inline Bytes joined(std::initializer_list<BytesView> parts) {
  Bytes out;
  for (const BytesView part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// One whole raw message frame.
inline Bytes message(std::string_view payload) {
  const std::array header{std::byte{0}, static_cast<std::byte>(payload.size())};
  return joined({header, bytes_of(payload)});
}

}  // namespace orzatty::session::test
