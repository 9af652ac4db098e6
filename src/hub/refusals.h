// The sequences of one producer that were rejected, so that who sends one again, because the answer
// was lost with its connection, gets the same answer. One thread.
#pragma once

#include <cstddef>
#include <optional>

#include "base/ring.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::hub {

class Refusals {
 public:
  // Neighbours become one, and a publisher that begins anew says what it knows, so more than these
  // come together only if storing and rejecting take turns a thousand times on one stream. The
  // oldest are forgotten then: their answers have long been read.
  static constexpr std::size_t kCountMax = 1024;

  struct Range {
    Sequence from;
    Sequence to;
    ErrorCode code = ErrorCode::kNone;
  };

  // Behind all that were added before.
  void add(const Range& range);
  // The producer knows the fate of everything below `settled`.
  void forget_below(Sequence settled);
  // The range that holds `sequence`, or else the next one behind it. O(log n).
  [[nodiscard]] std::optional<Range> find(Sequence sequence) const;
  // What of the sequences below it was refused may not be known any more.
  [[nodiscard]] Sequence forgotten_below() const { return forgotten_below_; }
  [[nodiscard]] std::size_t size() const { return ranges_.size(); }

 private:
  base::Ring<Range> ranges_;
  Sequence forgotten_below_;
};

}  // namespace orzatty::hub
