// One direction of a network path: what becomes of each datagram that is sent over it, and when it
// arrives. A value with a generator of its own; knows nothing of who sends.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/prng.h"
#include "orzatty/bytes.h"
#include "orzatty/time.h"

namespace orzatty::sim {

// Losses that come in bursts (Gilbert and Elliott): two states, one of which loses much.
struct Bursts {
  double begins = 0;  // per datagram
  double ends = 0.2;
  double loss = 0.9;  // while one lasts
};

struct Conditions {
  Duration delay = std::chrono::milliseconds(5);
  Duration jitter =
      Duration::zero();    // at most that much more, at random; alone it reorders nothing
  std::uint64_t rate = 0;  // bytes per second; 0: as fast as anybody sends
  std::uint64_t queue_bytes = 256 * 1024;  // what may wait for the rate; what comes on top is lost
  std::size_t mtu = 1500 - 28;             // larger payloads vanish
  double loss = 0;
  Bursts bursts;
  double reordering = 0;  // is late by up to four delays
  double duplication = 0;
  double corruption = 0;  // one bit to eight bytes are changed
  double truncation = 0;
  bool open = true;
};

// What the path did, for the summary of a run.
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
};

class Path {
 public:
  Path(const Conditions& at_first, std::uint64_t seed) : conditions(at_first), chance_(seed) {}

  struct Arrival {
    Instant at;
    Bytes bytes;
  };
  // None, one or two of it.
  struct Arrivals {
    std::array<Arrival, 2> items;
    std::size_t count = 0;
  };
  [[nodiscard]] Arrivals carry(BytesView datagram, Instant now);

  Conditions conditions;
  PathCounts counts;

 private:
  [[nodiscard]] bool lose();
  [[nodiscard]] bool queue_overflows(std::size_t size, Instant now);
  [[nodiscard]] Arrival arrival(BytesView datagram);
  void damage(Bytes& bytes);

  base::Prng chance_;
  bool in_burst_ = false;
  Instant free_at_;  // when the last byte that waits has left
  Instant last_at_;  // what is not reordered comes after it
};

}  // namespace orzatty::sim
