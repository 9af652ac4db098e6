// The sequences of one producer that were rejected, so that who sends one again, because the answer
// was lost with its connection, gets the same answer. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::hub {

class Refusals {
 public:
  // Neighbours become one, and a publisher that begins anew says what it knows, so more than these
  // come together only if storing and rejecting take turns a thousand times on one stream. The
  // oldest are forgotten then: their answers have long been read.
  static constexpr std::size_t kCountMax = 1024;
  // Each producer has so many whatever others have: about as much as a producer costs anyway.
  static constexpr std::size_t kCountMin = 16;

  struct Range {
    Sequence from;
    Sequence to;
    ErrorCode code = ErrorCode::kNone;
  };

  // What those of all producers may take together; where it is used up, none gets more than it has,
  // or kCountMin.
  struct Budget {
    // This part of hub_size_max, on top of it: 32 MiB.
    static constexpr std::uint64_t kHubShare = 64;
    explicit Budget(std::uint64_t hub_size_max) : count_max(hub_size_max / kHubShare / sizeof(Range)) {}
    std::uint64_t count_max;
    std::uint64_t count = 0;  // ranges that there is memory for
  };

  Refusals() = default;
  ~Refusals();
  Refusals(const Refusals&) = delete;
  Refusals& operator=(const Refusals&) = delete;

  // Of what was not refused before. Always of the same budget, which outlives this.
  void add(const Range& range, Budget& budget);
  // The producer knows the fate of everything below `settled`.
  void forget_below(Sequence settled);
  // The range that holds `sequence`, or else the next one behind it. O(log n).
  [[nodiscard]] std::optional<Range> find(Sequence sequence) const;
  // What of the sequences below it was refused may not be known any more.
  [[nodiscard]] Sequence forgotten_below() const { return forgotten_below_; }
  [[nodiscard]] std::size_t size() const { return ranges_.size(); }
  [[nodiscard]] std::size_t memory() const { return ranges_.capacity() * sizeof(Range); }

 private:
  void forget_oldest(std::size_t count);
  void charge();

  std::vector<Range> ranges_;
  Sequence forgotten_below_;
  Budget* budget_ = nullptr;  // since the first was added
  std::size_t charged_ = 0;
};

}  // namespace orzatty::hub
