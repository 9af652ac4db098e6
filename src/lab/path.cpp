#include "lab/path.h"

#include <algorithm>

namespace orzatty::lab {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
// Without a delay four of it would reorder nothing: what is sent in one burst is 2 ms long at most.
constexpr Duration kLatenessMin = std::chrono::milliseconds(2);

Duration transmission(std::uint64_t size, std::uint64_t rate) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(size) * kNanosecondsPerSecond /
                                             static_cast<double>(rate)));
}

Duration up_to(base::Prng& chance, Duration most) {
  if (most <= Duration::zero()) return Duration::zero();
  return Duration(
      static_cast<Duration::rep>(chance.below(static_cast<std::uint64_t>(most.count()) + 1)));
}

}  // namespace

PathCounts& PathCounts::operator+=(const PathCounts& other) {
  sent += other.sent;
  lost += other.lost;
  lost_in_burst += other.lost_in_burst;
  overflowed += other.overflowed;
  too_large += other.too_large;
  cut += other.cut;
  reordered += other.reordered;
  duplicated += other.duplicated;
  corrupted += other.corrupted;
  truncated += other.truncated;
  return *this;
}

Path::Arrivals Path::carry(BytesView datagram, Instant now) {
  Arrivals arrivals;
  ++counts.sent;
  if (!conditions.open) {
    ++counts.cut;
    return arrivals;
  }
  if (datagram.size() > conditions.mtu) {
    ++counts.too_large;
    return arrivals;
  }
  if (lose(now) || queue_overflows(datagram.size(), now)) return arrivals;
  free_at_ = std::max(free_at_, now);
  arrivals.items[arrivals.count++] = arrival(datagram);
  if (chance_.chance(conditions.duplication)) {
    ++counts.duplicated;
    arrivals.items[arrivals.count++] = arrival(datagram);
  }
  return arrivals;
}

void Path::move_between_bursts(Instant now) {
  const bool turns = chance_.chance(in_burst_ ? conditions.bursts.ends : conditions.bursts.begins);
  if (!in_burst_ && turns) {
    in_burst_ = true;
    burst_began_ = now;
  } else if (in_burst_ && (turns || now - burst_began_ >= Bursts::kTimeMax)) {
    in_burst_ = false;
  }
}

bool Path::lose(Instant now) {
  move_between_bursts(now);
  if (in_burst_ && chance_.chance(conditions.bursts.loss)) {
    ++counts.lost_in_burst;
    return true;
  }
  if (!chance_.chance(conditions.loss)) return false;
  ++counts.lost;
  return true;
}

bool Path::queue_overflows(std::size_t size, Instant now) {
  if (conditions.rate == 0) return false;
  const Instant begins = std::max(free_at_, now);
  if (begins - now > transmission(conditions.queue_bytes, conditions.rate)) {
    ++counts.overflowed;
    return true;
  }
  free_at_ = begins + transmission(size, conditions.rate);
  return false;
}

Path::Arrival Path::arrival(BytesView datagram) {
  Arrival made{free_at_ + conditions.delay + up_to(chance_, conditions.jitter), copy_of(datagram)};
  if (chance_.chance(conditions.reordering)) {
    ++counts.reordered;
    made.at += up_to(chance_, std::max(4 * conditions.delay, kLatenessMin));
  } else {
    made.at = last_at_ = std::max(made.at, last_at_);
  }
  damage(made.bytes);
  return made;
}

void Path::damage(Bytes& bytes) {
  if (bytes.empty()) return;
  if (chance_.chance(conditions.corruption)) {
    ++counts.corrupted;
    for (std::uint64_t left = 1 + chance_.below(8); left > 0; --left) {
      bytes[static_cast<std::size_t>(chance_.below(bytes.size()))] ^=
          static_cast<std::byte>(1U << chance_.below(8));
    }
  }
  if (chance_.chance(conditions.truncation)) {
    ++counts.truncated;
    bytes.resize(static_cast<std::size_t>(chance_.below(bytes.size())));
  }
}

}  // namespace orzatty::lab
