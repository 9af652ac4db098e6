#include "session/outbox.h"

#include <algorithm>

#include "base/assert.h"
#include "base/planted.h"
#include "wire/frame_cursor.h"
#include "wire/message.h"
#include "wire/run.h"
#include "wire/skip.h"

namespace orzatty::session {

namespace {

// Later than this is never.
constexpr std::chrono::milliseconds kTimeToLiveMax = std::chrono::hours(24 * 365);

constexpr std::uint32_t kSegmentOfValues = 4096;

std::optional<Instant> deadline_of(std::optional<std::chrono::milliseconds> time_to_live,
                                   Instant now) {
  if (!time_to_live || *time_to_live > kTimeToLiveMax) return std::nullopt;
  const Duration since = (now + *time_to_live).time_since_epoch();
  const Duration step = Outbox::kDeadlineStep;
  return Instant((since + step - Duration(1)) / step * step);
}

}  // namespace

OutboxSize outbox_size(const Limits& limits) {
  constexpr std::size_t kHeader = 16;
  return {limits.outbox_size,
          std::max<std::size_t>(limits.outbox_size_max, limits.message_size_max + kHeader)};
}

Outbox::Outbox(const OutboxSize& size, Sequence first, DeliveryMode mode)
    // The pool holds what waits, plus the segment being written, one partly given back, and what
    // rounding to segments costs.
    : pool_(size.max + 4 * base::SegmentPool::kSizeMax, size.first),
      // What is skipped between others goes by whole segments, so in mode latest these are small.
      log_(pool_, base::SegmentPool::kSizeMin,
           mode == DeliveryMode::kLatest ? kSegmentOfValues : base::SegmentPool::kSizeMax),
      size_max_(size.max),
      size_(size.first),
      first_sequence_(first),
      short_runs_(mode == DeliveryMode::kUnordered),
      next_sequence_(first),
      room_(size.first),
      keys_(mode == DeliveryMode::kLatest ? std::make_unique<ValueKeys>() : nullptr),
      frontier_(log_.begin()),
      frontier_sequence_(first),
      acknowledged_(first),
      room_unsent_(size.first) {}

bool Outbox::append(MessageType type, BytesView payload) {
  if (keys_ || bound_deadline_ || payload.size() > wire::kShortPayloadMax) [[unlikely]] {
    return append(type, payload, {}, Instant());
  }
  const base::ShortHeader header = wire::short_message_header(type, payload.size());
  const std::uint64_t size = header.size + payload.size();
  if (!has_room_now(size) || !log_.append(header, payload, 1)) return false;
  count(size);
  tell();
  return true;
}

bool Outbox::append(MessageType type, BytesView payload, const MessageAttributes& attributes,
                    Instant now) {
  std::array<std::byte, wire::kMessageHeaderSizeMax> header;
  const std::size_t size = wire::encode_message_header(header, type, attributes, payload.size());
  return append_frame(BytesView(header).first(size), payload,
                        deadline_of(attributes.time_to_live, now), attributes.key);
}

bool Outbox::append_frame(BytesView header, BytesView payload, std::optional<Instant> deadline,
                            BytesView key) {
  const std::uint64_t size = header.size() + payload.size();
  if (!has_room_now(size)) return false;
  if (keys_ && !(keys_->has_place() && keys_->admits(key))) return false;
  // Before the message: whoever sees that knows its deadline.
  if (deadline != bound_deadline_ || deadline) {
    if (!bound(deadline)) return false;
  }
  if (!log_.append(header, payload, 1)) return false;
  count(size);
  if (keys_) keys_->note(key, size);  // behind the message: whoever sees that it is there may read it
  tell();
  return true;
}

bool Outbox::has_room_now(std::uint64_t size) const {
  return fits(appended_bytes_ - released_bytes_.load(std::memory_order_acquire), size);
}

// A message of that size is in the log.
void Outbox::count(std::uint64_t size) {
  appended_bytes_ += size;
  next_sequence_ += 1;
  if (!keys_ && appended_bytes_ - marked_bytes_ >= kRunBytes) mark();
}

// False when there are too many.
bool Outbox::bound(std::optional<Instant> deadline) {
  if (deadline == bound_deadline_ && appended_bytes_ - bound_bytes_ < kTimedRunBytes) return true;
  const std::uint64_t made = boundaries_made_.load(std::memory_order_relaxed);
  if (made - boundaries_taken_.load(std::memory_order_acquire) == kBoundaryCount) return false;
  if (boundaries_ == nullptr) boundaries_ = std::make_unique<Boundaries>();
  (*boundaries_)[made % kBoundaryCount] = {
      .at = {.bytes = appended_bytes_, .messages = next_sequence_ - first_sequence_},
      .deadline = deadline};
  boundaries_made_.store(made + 1, std::memory_order_release);
  bound_deadline_ = deadline;
  bound_bytes_ = appended_bytes_;
  return true;
}

// No place for it: the run goes on to the next mark.
void Outbox::mark() {
  const std::uint64_t made = marks_made_.load(std::memory_order_relaxed);
  if (made - marks_taken_.load(std::memory_order_acquire) == kMarkCount) return;
  marks_[made % kMarkCount] = {.bytes = appended_bytes_,
                               .messages = next_sequence_ - first_sequence_};
  marks_made_.store(made + 1, std::memory_order_release);
  marked_bytes_ = appended_bytes_;
}

// What there is to send.
void Outbox::look() { seen_ = keys_ ? keys_->look() : log_.published(seen_); }

bool Outbox::has_unsent() {
  if (runs_sent_ < runs_.size()) return true;
  look();
  return seen_sequence() != frontier_sequence_;
}

Sequence Outbox::published() {
  look();
  return seen_sequence();
}

Sequence Outbox::sent() const {
  return runs_sent_ < runs_.size() ? runs_[runs_sent_].first : frontier_sequence_;
}

std::uint64_t Outbox::run_end(std::size_t index) const {
  return index + 1 < runs_.size() ? runs_[index + 1].cursor.position : frontier_.position;
}

bool Outbox::begin_run() {
  base::Published end;
  if (keys_) {
    look();
    end = keys_->end_of_newest(frontier(), kTimedRunBytes);
  } else {
    end = next_mark();
  }
  pass_boundaries(end);
  if (first_sequence_ + end.messages == frontier_sequence_) return false;
  begin_run(short_runs_ ? shortened(end) : end, std::nullopt);
  return true;
}

// Where a run may end: all of the log, while the writer left no mark in it.
base::Published Outbox::next_mark() {
  // Marks first: what they say is published by then.
  const std::uint64_t made = marks_made_.load(std::memory_order_acquire);
  look();
  base::Published end = seen_;
  std::uint64_t taken = marks_taken_.load(std::memory_order_relaxed);
  while (taken != made) {
    const base::Published& mark = marks_[taken % kMarkCount];
    ++taken;
    if (mark.bytes <= frontier_.position) continue;  // sent before it was made
    end = mark;
    break;
  }
  marks_taken_.store(taken, std::memory_order_release);
  return end;
}

base::Published Outbox::shortened(base::Published end) const {
  const base::Published from = frontier();
  const wire::FramesAhead run =
      wire::frames_within(frontier_, end.bytes - frontier_.position, kShortRunBytes);
  return {.bytes = from.bytes + run.size, .messages = from.messages + run.count};
}

void Outbox::begin_run(const base::Published& end, std::optional<GapReason> skipped) {
  const bool unsent = runs_sent_ < runs_.size();
  const bool goes_on = skipped && unsent && runs_.back().skipped == skipped;
  if (!goes_on) runs_.push_back({frontier_sequence_, frontier_, skipped});
  const std::uint64_t size = end.bytes - frontier_.position;
  base::Log::skip(frontier_, size);
  frontier_sequence_ = first_sequence_ + end.messages;
  if (keys_) keys_->pass(end.messages);
  if (!skipped) {
    run_bytes_ += size;
  } else if (run_bytes_ > 0) {
    log_.drop(runs_.back().cursor, frontier_);  // what is before it is needed
  }
}

// `end` is what was seen of the log before, so all that bounds it is there.
void Outbox::pass_boundaries(base::Published& end) {
  const std::uint64_t made = boundaries_made_.load(std::memory_order_acquire);
  std::uint64_t taken = boundaries_taken_.load(std::memory_order_relaxed);
  while (taken != made) {
    const Boundary& boundary = (*boundaries_)[taken % kBoundaryCount];
    if (boundary.at.bytes > frontier_.position) {
      if (boundary.at.bytes < end.bytes) end = boundary.at;
      break;
    }
    deadline_ = boundary.deadline;
    ++taken;
  }
  boundaries_taken_.store(taken, std::memory_order_release);
}

std::optional<Instant> Outbox::next_expiry() {
  if (boundaries_made_.load(std::memory_order_relaxed) == 0) return std::nullopt;
  look();
  if (seen_sequence() == frontier_sequence_) return std::nullopt;
  base::Published end = seen_;
  pass_boundaries(end);
  return deadline_;
}

void Outbox::skip(Instant now) {
  skipped_at_ = now;
  expire(now);
  if (!keys_) return;
  for (Sequence from = supersede(); from != frontier_sequence_; from = supersede()) expire(now);
}

// spec: DEADLINE-1
void Outbox::expire(Instant now) {
  const Sequence from = frontier_sequence_;
  const bool sent = base::planted(base::PlantedBug::kExpiredIsSent);
  const auto skipped = sent ? std::nullopt : std::optional(GapReason::kExpired);
  for (auto due = next_expiry(); due && *due <= now; due = next_expiry()) {
    base::Published end = seen_;
    pass_boundaries(end);
    begin_run(end, skipped);
  }
  if (from != frontier_sequence_) note_skipped(from, GapReason::kExpired);
}

// Gives where the frontier was before. spec: LATEST-1
Sequence Outbox::supersede() {
  look();
  while (crowded() && begin_run()) continue;
  const Sequence from = frontier_sequence_;
  const base::Published end = keys_->end_of_superseded(frontier());
  if (first_sequence_ + end.messages == from) return from;
  begin_run(end, GapReason::kSuperseded);
  note_skipped(from, GapReason::kSuperseded);
  return from;
}

void Outbox::note_skipped(Sequence from, GapReason reason) {
  const bool untold = base::planted(base::PlantedBug::kSupersededIsNotTold);
  if (!untold || reason != GapReason::kSuperseded) skipped_.push_back({from, frontier_sequence_, reason});
  release();
}

std::optional<Outbox::Skipped> Outbox::take_skipped() {
  if (skipped_.empty()) return std::nullopt;
  return skipped_.pop_front();
}

// What waits at the frontier holds up so much that it had better have its place before the rest, and
// be sent even if a newer one comes.
bool Outbox::crowded() const {
  const std::uint64_t room = room_.load(std::memory_order_relaxed);
  return room > run_bytes_ && seen_.bytes - frontier_.position > (room - run_bytes_) / 2;
}

void Outbox::fill(SendQueue& queue, Scratch& scratch, std::uint32_t nonce) {
  if (!next_run()) return;
  const bool skips = runs_[runs_sent_].skipped.has_value();
  if (skips && !(fill_skip(queue, scratch) && next_run())) return;
  if (!runs_[runs_sent_].skipped) fill_run(queue, scratch, nonce);
}

bool Outbox::next_run() {
  if (short_runs_ && runs_sent_ >= kShortRunCountMax) return false;
  if (runs_sent_ < runs_.size()) return true;
  if (keys_) skip(skipped_at_);
  return runs_sent_ < runs_.size() || begin_run();
}

// spec: STREAM-5, PUBLISH-1
void Outbox::fill_run(SendQueue& queue, Scratch& scratch, std::uint32_t nonce) {
  const Run& run = runs_[runs_sent_];
  std::uint64_t rest = run_end(runs_sent_) - run.cursor.position;
  header_.clear();
  wire::encode(wire::Run{.channel = ChannelAlias(0),
                         .producer = ProducerAlias(0),
                         .first = run.first.value(),
                         .size = rest,
                         .nonce = nonce},
               header_);
  if (!scratch.write(header_, queue)) return;
  base::LogCursor cursor = run.cursor;
  while (rest > 0) {
    base::Piece piece = base::Log::take(cursor, rest);
    rest -= piece.bytes.size();
    queue.push(std::move(piece));
  }
  sent_bytes_ += run_end(runs_sent_) - run.cursor.position;
  ++runs_sent_;
  update_room();
}

// spec: DEADLINE-1, LATEST-1, STREAM-5
bool Outbox::fill_skip(SendQueue& queue, Scratch& scratch) {
  header_.clear();
  wire::encode(wire::Skip{.from = runs_[runs_sent_].first,
                          .to = run_end_sequence(runs_sent_),
                          .reason = *runs_[runs_sent_].skipped},
               header_);
  if (!scratch.write(header_, queue)) return false;
  ++runs_sent_;
  update_room();
  return true;
}

void Outbox::acknowledged(Sequence next) {
  if (next <= acknowledged_) return;
  acknowledged_ = next;
  give_back();
}

// A run that is to be sent again goes whole: on the new stream positions are dense from its first.
void Outbox::give_back() {
  const std::size_t before = runs_sent_;
  while (runs_sent_ > 0 && first_run_end() <= acknowledged_) {
    if (!runs_.front().skipped) sent_bytes_ -= run_end(0) - runs_.front().cursor.position;
    pop_run();
    --runs_sent_;
  }
  if (runs_sent_ != before && !base::planted(base::PlantedBug::kRoomIsForgotten)) release();
}

void Outbox::pop_run() {
  if (!runs_.front().skipped) run_bytes_ -= run_end(0) - runs_.front().cursor.position;
  runs_.pop_front();
}

Sequence Outbox::run_end_sequence(std::size_t index) const {
  return index + 1 < runs_.size() ? runs_[index + 1].first : frontier_sequence_;
}

void Outbox::release() {
  std::size_t first = 0;  // that needs its bytes
  while (first < runs_.size() && runs_[first].skipped) ++first;
  const base::LogCursor& kept = first < runs_.size() ? runs_[first].cursor : frontier_;
  log_.trim(kept);
  released_bytes_.store(frontier_.position - run_bytes_, std::memory_order_release);
  update_room();
}

// Exactly to the first message that was not acknowledged, wherever in its run it lies: who handles
// messages without a log, and so without a memory of them, must not see an accepted one twice.
void Outbox::rewind() {
  runs_sent_ = 0;
  sent_bytes_ = 0;
  const std::uint64_t forgotten = base::planted(base::PlantedBug::kRewindForgetsOne) ? 1 : 0;
  while (!runs_.empty() && first_run_end() <= acknowledged_ + forgotten) pop_run();
  if (!runs_.empty() && runs_.front().first < acknowledged_) {
    Run& run = runs_.front();
    if (!run.skipped) {
      const std::uint64_t begin = run.cursor.position;
      wire::skip_frames(run.cursor, acknowledged_ - run.first);
      run_bytes_ -= run.cursor.position - begin;
    }
    run.first = acknowledged_;
  }
  release();
}

std::optional<Outbox::Ahead> Outbox::ahead(std::uint64_t size_max) {
  look();
  if (seen_sequence() == frontier_sequence_) return std::nullopt;
  base::Published end = seen_;
  pass_boundaries(end);  // what lies behind may have expired
  const std::uint64_t available = end.bytes - frontier_.position;
  const Ahead ahead{.first = frontier_sequence_,
                    .frames = wire::frames_within(frontier_, available, size_max),
                    .begin = frontier_};
  ORZATTY_ASSERT(ahead.frames.size <= size_max);  // whoever appends looks at the size of each
  return ahead;
}

// spec: DATAGRAM-1
void Outbox::let_go(const wire::FramesAhead& frames) {
  base::Log::skip(frontier_, frames.size);
  frontier_sequence_ += frames.count;
  runs_.clear();
  runs_sent_ = 0;
  run_bytes_ = sent_bytes_ = 0;
  acknowledged_ = frontier_sequence_;
  release();
}

void Outbox::let_go_all() {
  const std::uint64_t count = published() - frontier_sequence_;
  let_go({.count = count, .size = seen_.bytes - frontier_.position});
}

void Outbox::set_room(std::uint64_t bytes) {
  room_unsent_ = bytes;
  update_room();
}

// What was sent is on its way, and what is skipped is gone.
void Outbox::update_room() {
  room_.store(std::min(size_, sent_bytes_ + room_unsent_), std::memory_order_relaxed);
}

void Outbox::grow_if_on_its_way() {
  if (size_ == size_max_ || sent_bytes_ < size_ - size_ / 8 || has_unsent()) return;
  size_ = std::min(2 * size_, size_max_);
  update_room();
}

// An empty outbox takes any message, or one larger than it could never be sent. The last one may go
// beyond the room that the Governor leaves, or one that is larger would wait for all before it to be
// acknowledged, and each take a round trip.
bool Outbox::fits(std::uint64_t waiting, std::uint64_t size) const {
  if (waiting == 0) return true;
  return waiting < room_.load(std::memory_order_relaxed) && waiting + size <= size_max_;
}

bool Outbox::has_room(std::uint64_t size) {
  look();
  const std::uint64_t waiting = seen_.bytes - released_bytes_.load(std::memory_order_relaxed);
  const std::uint64_t bounds = boundaries_made_.load(std::memory_order_acquire) -
                               boundaries_taken_.load(std::memory_order_relaxed);
  if (bounds == kBoundaryCount) return false;
  if (waiting == 0) return true;
  return fits(waiting, size) && pool_.room() >= base::SegmentPool::kSizeMax;
}

}  // namespace orzatty::session
