// A fuzz target's input, read as a script: steps that a hostile peer, time and the transport take.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "orzatty/bytes.h"
#include "session/transport.h"

namespace orzatty::fuzz {

enum class Verb : std::uint8_t {
  kControl,      // bytes on the control stream; `argument` of them follow
  kStream,       // bytes on one of the peer's channel streams; `argument` of them follow
  kStreamEnd,    // the same, and it ends behind them
  kReset,        // a channel stream of the peer is cut off
  kPull,         // the transport has room for 16 * `argument` bytes
  kAcknowledge,  // the transport acknowledges a piece
  kUnblock,      // the peer gives credit on all streams
  kTime,         // time passes
  kAsk,          // the program on this side wants something
  kStop,         // the peer wants no more of a stream of this side
  kControlEnd,
  kDatagram,  // a datagram of the peer; `argument` bytes follow
};

// Two bytes, then the bytes it brings.
struct Step {
  Verb verb = Verb::kControl;
  std::uint8_t peer = 0;    // 0 to 3
  std::uint8_t stream = 0;  // 0 to 3
  std::uint8_t argument = 0;
  Bytes bytes;  // a copy of just their size, so that a sanitizer sees who reads on, or keeps them

  static std::byte head(Verb verb, unsigned peer, unsigned stream) {
    return static_cast<std::byte>(static_cast<unsigned>(verb) | peer << 4U | stream << 6U);
  }
};

class Script {
 public:
  explicit Script(std::span<const std::uint8_t> bytes) : rest_(std::as_bytes(bytes)) {}

  // Nothing when it is over.
  std::optional<Step> next() {
    if (rest_.size() < 2) return std::nullopt;
    const auto head = std::to_integer<std::uint8_t>(rest_[0]);
    Step step;
    step.verb = verb_of(head & 0x0fU);
    step.peer = (head >> 4U) & 3U;
    step.stream = (head >> 6U) & 3U;
    step.argument = std::to_integer<std::uint8_t>(rest_[1]);
    rest_ = rest_.subspan(2);
    if (step.verb > Verb::kStreamEnd && step.verb != Verb::kDatagram) return step;
    const BytesView bytes = rest_.first(std::min<std::size_t>(step.argument, rest_.size()));
    step.bytes = copy_of(bytes);
    rest_ = rest_.subspan(bytes.size());
    return step;
  }

 private:
  // Numbers without a verb bring bytes, which is what most steps should do.
  static Verb verb_of(unsigned number) {
    constexpr unsigned kVerbCount = static_cast<unsigned>(Verb::kDatagram) + 1;
    return static_cast<Verb>(number < kVerbCount ? number : number % 2);
  }

  BytesView rest_;
};

// The peer's channel streams, four at a time: a transport never uses a name twice.
class RemoteStreams {
 public:
  [[nodiscard]] session::RemoteStream at(std::uint8_t slot) const {
    return session::RemoteStream(names_[slot]);
  }
  void end(std::uint8_t slot) { names_[slot] = ++newest_; }

 private:
  std::array<std::uint64_t, 4> names_{1, 2, 3, 4};
  std::uint64_t newest_ = 4;
};

}  // namespace orzatty::fuzz
