// A publisher's outbox: a log of framed messages with two cursors, *sent* and *acknowledged*. Memory
// comes back when the peer has accepted a message, so that after a broken connection sending goes on
// where the peer's knowledge ends: rewind() moves *sent* back.
//
// Messages are sent in runs, and acknowledgement gives memory back by runs. So that it does in small
// steps, the writer leaves a mark after every 32 KiB at which a run may end: only it knows where
// messages begin.
//
// Where messages have a deadline the writer leaves a boundary wherever it changes, so that what
// expired before it was in any run becomes a SKIP instead. What once stood in a run is sent again
// whatever the time: the peer may have it already, and would call it accepted.
//
// In mode latest the same becomes of a message when there is a newer one of its key (ValueKeys). What
// is skipped has its room again at once, also behind a run that the peer has not acknowledged.
// Where no order is kept a run is what one packet holds, and travels by itself: what is lost holds up
// no other. Runs stay cut as they were, so that what the peer has to remember of them stays bounded.
//
// Threads: append() and the other functions of the writer belong to one thread, the application's;
// everything else to the one that runs the session. They may be two, without a lock between them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/log.h"
#include "base/newsline.h"
#include "base/planted.h"
#include "base/ring.h"
#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/ids.h"
#include "orzatty/limits.h"
#include "orzatty/message.h"
#include "orzatty/time.h"
#include "session/scratch.h"
#include "session/send_queue.h"
#include "session/value_keys.h"
#include "wire/frame_cursor.h"

namespace orzatty::session {

// What an outbox holds, or one message that is larger.
struct OutboxSize {
  OutboxSize(std::size_t size) : first(size), max(size) {}  // of one that does not grow
  OutboxSize(std::size_t first_size, std::size_t size_max)
      : first(std::min(first_size, size_max)), max(size_max) {}

  std::size_t first;
  std::size_t max;  // what it may grow to
};
// As limits have it; the largest message fits, or it could never be sent.
OutboxSize outbox_size(const Limits& limits);

class Outbox {
 public:
  static constexpr std::uint64_t kRunBytes = 32 * 1024;
  // A run of what may yet be skipped is short: it is not taken back once its header is queued.
  static constexpr std::uint64_t kTimedRunBytes = 2 * 1024;
  // Deadlines are counted in these, rounded up: messages of the same one share a boundary.
  static constexpr Duration kDeadlineStep = std::chrono::milliseconds(1);

  // A short run: with what stands before it, one packet of the narrowest path; or one message that is
  // larger.
  static constexpr std::uint64_t kShortRunBytes = 1024;
  // Of them this many are sent behind the oldest that was not acknowledged. spec: PUBLISH-11
  static constexpr std::size_t kShortRunCountMax = 1024;

  struct Skipped {
    Sequence from;
    Sequence to;
    GapReason reason = GapReason::kExpired;
  };

  // Its first message is `first`.
  explicit Outbox(const OutboxSize& size, Sequence first = Sequence(0),
                  DeliveryMode mode = DeliveryMode::kReliable);
  // Whoever takes the news there is told, as of `name`, that something was appended. Before the first
  // message.
  void tell_news(base::Newsline& line, std::uint64_t name) {
    newsline_ = &line;
    news_.of = name;
  }

  // The writer's side. Frames the message once, into the log; false when there is no room now.
  [[nodiscard]] bool append(MessageType type, BytesView payload);
  // `now` is when its time to live begins, if it has one.
  [[nodiscard]] bool append(MessageType type, BytesView payload,
                            const MessageAttributes& attributes, Instant now);
  // False for a value of one key more than it tells apart: append() would not take it.
  [[nodiscard]] bool admits(BytesView key) const { return !keys_ || keys_->admits(key); }
  [[nodiscard]] Sequence first_sequence() const { return first_sequence_; }
  [[nodiscard]] Sequence next_sequence() const { return next_sequence_; }
  [[nodiscard]] std::uint64_t appended_bytes() const { return appended_bytes_; }

  // The session's side.
  [[nodiscard]] bool has_unsent();
  // What comes next and was never in a run will not be sent if its time is over, or if a newer value
  // took its place. spec: DEADLINE-1, LATEST-1
  void skip(Instant now);
  // What that became of, there and in fill(), in order; ask before what an answer of the peer means.
  [[nodiscard]] std::optional<Skipped> take_skipped();
  // When the time of something will be over.
  [[nodiscard]] std::optional<Instant> next_expiry();
  // What would be sent next may yet be skipped: it had better not wait in a queue.
  [[nodiscard]] bool may_skip() { return keys_ != nullptr || next_expiry().has_value(); }
  // Queues one run of what was not sent, behind what is skipped before it; nothing when the scratch has
  // no room for its header.
  void fill(SendQueue& queue, Scratch& scratch, std::uint32_t nonce);
  // The peer has all below `next`: memory of whole runs is given back.
  void acknowledged(Sequence next);
  // The connection is gone: everything that was not acknowledged is unsent again.
  void rewind();
  // What may wait to be sent (the Governor's word); what is on its way comes on top of it.
  void set_room(std::uint64_t bytes);
  // To twice what it may hold, if all of that is on its way and the path would take more.
  void grow_if_on_its_way();
  // Whether append() would take a message of that size.
  [[nodiscard]] bool has_room(std::uint64_t size);

  // Of a publication whose messages leave as datagrams, each once, so that there is nothing to be
  // sent again: instead of fill(), acknowledged() and SKIP.
  struct Ahead {
    Sequence first;
    wire::FramesAhead frames;
    base::LogCursor begin;
  };
  // The messages that leave next, as many as `size_max` bytes hold; none when there is none.
  [[nodiscard]] std::optional<Ahead> ahead(std::uint64_t size_max);
  // They have left. Their memory comes back, as that of what has expired.
  void let_go(const wire::FramesAhead& frames);
  // None of what was appended will be sent.
  void let_go_all();

  // The sequence that is sent next; after rewind() the first that was not acknowledged.
  [[nodiscard]] Sequence sent() const;
  [[nodiscard]] Sequence acknowledged() const { return acknowledged_; }
  [[nodiscard]] Sequence published();
  // Appended, but not acknowledged.
  [[nodiscard]] std::uint64_t waiting() {
    const std::uint64_t waiting = published() - acknowledged_;
    return base::planted(base::PlantedBug::kWaitingIsMiscounted) ? waiting / 2 : waiting;
  }

 private:
  static constexpr std::size_t kMarkCount = 64;  // 2 MiB of marks; beyond them runs get longer
  static constexpr std::size_t kBoundaryCount = 4096;  // beyond them append() finds no room

  // Where a run begins; it ends where the next one begins, the last at the frontier. Of one that is
  // skipped the bytes may be gone.
  struct Run {
    Sequence first;
    base::LogCursor cursor;
    std::optional<GapReason> skipped = {};
  };
  // From here on messages have this deadline, or none.
  struct Boundary {
    base::Published at;
    std::optional<Instant> deadline;
  };
  using Boundaries = std::array<Boundary, kBoundaryCount>;

  [[nodiscard]] bool append_frame(BytesView header, BytesView payload,
                                  std::optional<Instant> deadline, BytesView key);
  [[nodiscard]] bool has_room_now(std::uint64_t size) const;
  void count(std::uint64_t size);
  void tell() {
    if (newsline_ != nullptr) newsline_->tell(news_);
  }
  [[nodiscard]] Sequence seen_sequence() const { return first_sequence_ + seen_.messages; }
  [[nodiscard]] base::Published frontier() const {
    return {.bytes = frontier_.position, .messages = frontier_sequence_ - first_sequence_};
  }
  void mark();
  [[nodiscard]] bool bound(std::optional<Instant> deadline);
  void look();
  [[nodiscard]] bool begin_run();
  void begin_run(const base::Published& end, std::optional<GapReason> skipped);
  [[nodiscard]] base::Published next_mark();
  // Not behind what a short run holds.
  [[nodiscard]] base::Published shortened(base::Published end) const;
  void expire(Instant now);
  Sequence supersede();
  void note_skipped(Sequence from, GapReason reason);
  [[nodiscard]] bool next_run();
  [[nodiscard]] bool crowded() const;
  // What governs the frontier; the next boundary limits `end`.
  void pass_boundaries(base::Published& end);
  [[nodiscard]] Sequence run_end_sequence(std::size_t index) const;
  [[nodiscard]] std::uint64_t run_end(std::size_t index) const;
  [[nodiscard]] Sequence first_run_end() const { return run_end_sequence(0); }
  [[nodiscard]] bool fill_skip(SendQueue& queue, Scratch& scratch);
  void fill_run(SendQueue& queue, Scratch& scratch, std::uint32_t nonce);
  void pop_run();
  void give_back();
  void release();
  void update_room();
  [[nodiscard]] bool fits(std::uint64_t waiting, std::uint64_t size) const;

  base::SegmentPool pool_;
  base::Log log_;
  const std::uint64_t size_max_;
  std::uint64_t size_;  // the session's: what it may hold now
  const Sequence first_sequence_;  // of the log's first message
  const bool short_runs_;  // where no order is kept

  base::Newsline* newsline_ = nullptr;

  // The writer's.
  Sequence next_sequence_;
  std::uint64_t appended_bytes_ = 0;
  std::uint64_t marked_bytes_ = 0;
  std::optional<Instant> bound_deadline_;
  std::uint64_t bound_bytes_ = 0;

  // Between both.
  alignas(64) std::atomic<std::uint64_t> room_;
  std::atomic<std::uint64_t> released_bytes_{0};
  base::Newsline::Item news_;
  std::array<base::Published, kMarkCount> marks_;
  std::atomic<std::uint64_t> marks_made_{0};   // the writer's
  std::atomic<std::uint64_t> marks_taken_{0};  // the session's
  std::unique_ptr<Boundaries> boundaries_;     // made with the first deadline: most have none
  std::atomic<std::uint64_t> boundaries_made_{0};
  std::atomic<std::uint64_t> boundaries_taken_{0};
  const std::unique_ptr<ValueKeys> keys_;  // in mode latest

  // The session's.
  alignas(64) base::Published seen_;
  base::LogCursor frontier_;  // of what no run holds
  Sequence frontier_sequence_;
  std::optional<Instant> deadline_;  // of what lies at the frontier
  Sequence acknowledged_;
  std::uint64_t room_unsent_;
  base::Ring<Skipped> skipped_;  // not told
  Instant skipped_at_;           // the last time that skip() was called
  base::Ring<Run> runs_;         // not given back
  std::size_t runs_sent_ = 0;  // of them, on this connection
  std::uint64_t run_bytes_ = 0;   // of those that are not skipped; and of them
  std::uint64_t sent_bytes_ = 0;  // of those that were sent on this connection
  Bytes header_;               // reused
};

}  // namespace orzatty::session
