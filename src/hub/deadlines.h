// When messages of a channel expire, in groups of neighbours that do so at the same time. Empty,
// and no work, where none has a deadline. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/charged_ring.h"
#include "base/log.h"
#include "orzatty/bytes.h"
#include "orzatty/ids.h"
#include "orzatty/time.h"

namespace orzatty::hub {

class Deadlines {
 public:
  // Deadlines that are kept apart, of one channel. Messages beyond them live on: who gives each of
  // his messages another time to live loses the time, not the message.
  static constexpr std::size_t kCountMax = 16 * 1024;
  // Counted in these, rounded up.
  static constexpr Duration kStep = std::chrono::milliseconds(1);
  // A group is cut at this size, so that a stream can be given a little at a time.
  static constexpr std::uint64_t kGroupBytes = 2 * 1024;

  // Messages [from, to), which lie together.
  struct Group {
    Offset from;
    Offset to;
    Instant at;
    base::LogCursor begin;
    std::uint64_t end = 0;  // position behind its last byte

    [[nodiscard]] base::LogCursor end_cursor() const;
  };

  // When what lives so long from `now` on is over; nothing when that is never.
  [[nodiscard]] static std::optional<Instant> expiry(std::chrono::milliseconds time_to_live,
                                                     Instant now);

  // What they take counts towards the capacity of the pool.
  explicit Deadlines(base::SegmentPool& pool) : groups_(pool) {}

  // Room for the deadlines of whole frames, or of so many messages, before note(); false when the
  // pool has none.
  [[nodiscard]] bool make_room(BytesView frames);
  [[nodiscard]] bool make_room(std::size_t count);

  // Whole frames, that were stored at `begin`; the first of them has the offset `first`.
  void note(BytesView frames, Offset first, base::LogCursor begin, Instant now);
  // One message, that was stored so.
  void note(std::chrono::milliseconds time_to_live, Offset offset, const base::LogCursor& begin,
            std::uint64_t size, Instant now);
  void forget_below(Offset first);

  [[nodiscard]] bool empty() const { return groups_.empty(); }
  [[nodiscard]] std::size_t size() const { return groups_.size(); }
  [[nodiscard]] const Group& operator[](std::size_t index) const { return groups_[index]; }
  // The first group that ends behind `offset`; size() when there is none. O(log n).
  [[nodiscard]] std::size_t find(Offset offset) const;

 private:
  base::ChargedRing<Group> groups_;
};

}  // namespace orzatty::hub
