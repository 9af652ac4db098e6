// The index of a channel's log: per run of messages, who published them and where they lie. It
// answers where an offset is, what a retry of a producer was, and what a subscriber gets next.
//
// A run is messages of one producer with consecutive sequences and offsets, appended within a short
// time. Runs have numbers that never change, so a cursor remembers one across trims. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/log.h"
#include "base/charged_ring.h"
#include "orzatty/ids.h"
#include "orzatty/time.h"

namespace orzatty::base {

// Who published, as a small number in the table of whoever owns the index.
using ProducerNumber = StrongId<struct ProducerNumberTag, std::uint32_t>;
using RunNumber = StrongId<struct RunNumberTag>;

struct LogRun {
  ProducerNumber producer;
  Sequence first_sequence;
  Offset first_offset;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  LogCursor begin;
  Instant appended;  // of its first message

  [[nodiscard]] Offset end_offset() const { return first_offset + count; }
};

class RunIndex {
 public:
  static constexpr std::uint64_t kRunBytesMax = 64 * 1024;  // bounds the scan for one offset
  static constexpr Duration kRunAgeMax =
      std::chrono::milliseconds(10);  // resolution of an age bound

  // What each run takes elsewhere as well: how many readers stand at it.
  static constexpr std::size_t kBesideRun = sizeof(std::uint32_t);
  // The memory of a run, whatever its messages are.
  static constexpr std::size_t kRunCost = sizeof(LogRun) + kBesideRun;

  // What it takes counts towards the capacity of the pool.
  explicit RunIndex(SegmentPool& pool) : runs_(pool, kRunCost) {}

  // Room for one run more; false when there is none. Before append().
  [[nodiscard]] bool make_room() { return runs_.make_room(); }
  // Adds `run` behind the last one, or extends that one if it goes on (same producer, next
  // sequence, within the two bounds above). `run.first_offset` must be next_offset().
  void append(const LogRun& run);
  void pop_front();
  // Gives memory back, when runs went.
  void shrink() { runs_.shrink(); }

  [[nodiscard]] bool empty() const { return runs_.empty(); }
  [[nodiscard]] std::size_t size() const { return runs_.size(); }
  [[nodiscard]] const LogRun& front() const { return runs_.front(); }
  [[nodiscard]] const LogRun& back() const { return runs_.back(); }
  [[nodiscard]] RunNumber first_number() const { return first_number_; }
  [[nodiscard]] RunNumber end_number() const {
    return RunNumber(first_number_.value() + runs_.size());
  }
  // nullptr when it was trimmed or does not exist yet. Valid until append() or pop_front().
  [[nodiscard]] const LogRun* find(RunNumber number) const;
  // The run that holds `offset`, or the end when it is next_offset(); empty when it was trimmed or
  // lies beyond. O(log n).
  [[nodiscard]] std::optional<RunNumber> find(Offset offset) const;
  // The offset that a message of that producer has, newest runs first.
  [[nodiscard]] std::optional<Offset> find(ProducerNumber producer, Sequence sequence) const;

  [[nodiscard]] Offset first_offset() const;  // of the oldest run kept; next_offset() when empty
  [[nodiscard]] Offset next_offset() const { return next_offset_; }

 private:
  ChargedRing<LogRun> runs_;
  RunNumber first_number_;
  Offset next_offset_;
};

}  // namespace orzatty::base
