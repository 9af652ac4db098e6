// One direction of a network path: what becomes of each datagram that is sent over it, and when it
// arrives. A value with a generator of its own, which knows neither who sends nor what a clock is:
// the lab gives it real datagrams and the monotonic clock, the simulator virtual ones.
//
// The same seed, datagrams and times give the same arrivals on every machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/prng.h"
#include "orzatty/bytes.h"
#include "orzatty/time.h"

namespace orzatty::lab {

// Losses that come in bursts (Gilbert and Elliott): two states, one of which loses much. A burst is
// over after a second at the latest: who sends less and less the more is lost, as every transport
// does, would otherwise stay in one for minutes. What lasts longer is a closed path.
struct Bursts {
  static constexpr Duration kTimeMax = std::chrono::seconds(1);

  double begins = 0;  // per datagram
  double ends = 0.2;
  double loss = 0.9;  // while one lasts

  bool operator==(const Bursts&) const = default;
};

// A path that has no faults, unless more is said. Probabilities are per datagram.
struct Conditions {
  static constexpr std::size_t kMtuMax = 65'535;  // no UDP datagram is larger

  Duration delay = Duration::zero();
  Duration jitter =
      Duration::zero();    // at most that much more, at random; alone it reorders nothing
  std::uint64_t rate = 0;  // bytes per second; 0: as fast as anybody sends
  std::uint64_t queue_bytes = 256 * 1024;  // what may wait for the rate; what comes on top is lost
  std::size_t mtu = kMtuMax;               // larger payloads vanish
  double loss = 0;
  Bursts bursts = {};
  double reordering = 0;  // late by up to four delays, or by 2 ms where these are shorter
  double duplication = 0;
  double corruption = 0;  // one bit to eight are flipped
  double truncation = 0;
  bool open = true;  // closed, it is a black hole

  bool operator==(const Conditions&) const = default;
};

// What the path did. A datagram is in one of the losses at most; the rest may meet in one.
struct PathCounts {
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;
  std::uint64_t lost_in_burst = 0;
  std::uint64_t overflowed = 0;
  std::uint64_t too_large = 0;
  std::uint64_t cut = 0;  // while the path was closed
  std::uint64_t reordered = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t truncated = 0;

  PathCounts& operator+=(const PathCounts& other);
  bool operator==(const PathCounts&) const = default;
  [[nodiscard]] std::uint64_t all_lost() const {
    return lost + lost_in_burst + overflowed + too_large + cut;
  }
};

class Path {
 public:
  Path(const Conditions& at_first, std::uint64_t seed) : conditions(at_first), chance_(seed) {}

  struct Arrival {
    Instant at;
    Bytes bytes;  // empty when nothing but the headers was left of it
  };
  // None, one or two of it.
  struct Arrivals {
    std::array<Arrival, 2> items;
    std::size_t count = 0;
  };
  // `now` never goes backwards. Arrivals may: what is reordered comes later than what is sent next.
  [[nodiscard]] Arrivals carry(BytesView datagram, Instant now);

  Conditions conditions;  // may change at any time; what is on its way arrives as it would have
  PathCounts counts;

 private:
  [[nodiscard]] bool lose(Instant now);
  void move_between_bursts(Instant now);
  [[nodiscard]] bool queue_overflows(std::size_t size, Instant now);
  [[nodiscard]] Arrival arrival(BytesView datagram);
  void damage(Bytes& bytes);

  base::Prng chance_;
  bool in_burst_ = false;
  Instant burst_began_;
  Instant free_at_;  // when the last byte that waits has left
  Instant last_at_;  // what is not reordered comes after it
};

}  // namespace orzatty::lab
