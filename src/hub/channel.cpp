#include "hub/channel.h"

#include <algorithm>

#include "base/assert.h"
#include "base/planted.h"
#include "hub/frame_cursor.h"
#include "wire/message.h"

namespace orzatty::hub {

Channel::Channel(ChannelName name, ChannelEpoch epoch, const ChannelConfig& config,
                 std::uint64_t size_max, base::SegmentPool& pool, ChannelTraffic& traffic)
    : name_(std::move(name)),
      epoch_(epoch),
      config_(config),
      traffic_(traffic),
      size_max_(size_max),
      log_(pool, base::SegmentPool::kSizeMin) {}

base::ProducerNumber Channel::own_producer(const ProducerId& id, std::string_view identity) {
  if (!own_) {
    const wire::Publish publish{
        .publication = {}, .producer = id, .epoch = {}, .next = {}, .channel = name_};
    own_ = *producers_.join(publish, identity);  // of a random id nobody knows
  }
  return *own_;
}

// spec: PUBLISH-6
bool Channel::append(const Batch& batch, Instant now) {
  const base::LogCursor begin = log_.end();
  const base::RunNumber end_before = index_.end_number();
  if (!log_.append(batch.header, batch.body, batch.count)) return false;
  const std::uint64_t size = batch.header.size() + batch.body.size();
  kept_bytes_ += size;
  index_.append({.producer = batch.producer,
                 .first_sequence = batch.first,
                 .first_offset = index_.next_offset(),
                 .count = batch.count,
                 .bytes = size,
                 .begin = begin,
                 .appended = now});
  if (index_.end_number() != end_before) producers_.run_added(batch.producer, end_before);
  if (batch.has_attributes) {
    const Offset first(index_.next_offset().value() - batch.count);
    deadlines_.note(batch.body, first, begin, now);
  }
  if (config_.slow_policy == SlowPolicy::kLatest) {
    newest_ = begin;
    if (batch.count > 1) note_newest(batch.body, begin);
  }
  return true;
}

void Channel::note_newest(BytesView frames, base::LogCursor begin) {
  std::size_t newest = 0;
  std::size_t end = 0;
  for (const wire::MessageView& message : wire::MessageRange(frames)) {
    newest = end;
    end += message.frame_size;
  }
  base::Log::skip(begin, newest);
  newest_ = begin;
}

// A bound is met by the messages behind this run alone, so what it asks for is always kept.
bool Channel::may_go(const base::LogRun& run, Instant now) const {
  const Retention& keep = config_.retention;
  if (kept_bytes_ > size_max_) return true;
  if (keep.bytes != 0 && kept_bytes_ - run.bytes >= keep.bytes) return true;
  const std::uint64_t count_left = index_.next_offset() - run.end_offset();
  const std::uint64_t early = base::planted(base::PlantedBug::kLetsGoEarly) ? keep.count / 2 : 0;
  if (keep.count != 0 && count_left + early >= keep.count) return true;
  return keep.age != Duration::zero() && now >= *next_expiry();
}

void Channel::trim(Instant now, std::vector<ChannelReader*>& overtaken) {
  bool trimmed = false;
  while (!index_.empty() && may_go(index_.front(), now)) {
    if (config_.slow_policy == SlowPolicy::kWait && readers_.count_at_front() > 0) break;
    kept_bytes_ -= index_.front().bytes;
    producers_.run_removed(index_.front().producer);
    index_.pop_front();
    readers_.pop_front(overtaken);
    trimmed = true;
  }
  if (!trimmed) return;
  deadlines_.forget_below(index_.first_offset());
  log_.trim(index_.empty() ? log_.end() : index_.front().begin);
}

// The time of a run is that of its first message; the last may be this much younger.
std::optional<Instant> Channel::next_expiry() const {
  if (config_.retention.age == Duration::zero() || index_.empty()) return std::nullopt;
  return index_.front().appended + base::RunIndex::kRunAgeMax + config_.retention.age;
}

base::LogCursor Channel::locate(Offset offset) const {
  const auto number = index_.find(offset);
  ORZATTY_ASSERT(number.has_value());
  const base::LogRun* const run = index_.find(*number);
  if (run == nullptr) return log_.end();
  base::LogCursor cursor = run->begin;
  skip_frames(cursor, offset - run->first_offset);
  return cursor;
}

Channel::Past Channel::find(base::ProducerNumber producer, Sequence first,
                            std::uint64_t count) const {
  const base::Ring<base::RunNumber>& runs = producers_[producer].runs;
  std::size_t low = 0;  // the first run that begins behind `first`
  for (std::size_t high = runs.size(); low < high;) {
    const std::size_t middle = low + (high - low) / 2;
    if (index_.find(runs[middle])->first_sequence <= first) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  std::uint64_t until = count;
  if (low < runs.size()) until = std::min(until, index_.find(runs[low])->first_sequence - first);
  if (low == 0) return {.fate = Past::Fate::kForgotten, .offset = {}, .count = until};
  const base::LogRun& run = *index_.find(runs[low - 1]);
  const std::uint64_t inside = first - run.first_sequence;
  if (inside >= run.count) return {.fate = Past::Fate::kRefused, .offset = {}, .count = until};
  return {.fate = Past::Fate::kKept,
          .offset = run.first_offset + inside,
          .count = std::min(until, run.count - inside)};
}

std::uint64_t Channel::backlog_limit() const {
  return std::min(std::max(config_.retention.bytes, kBacklogMin), size_max_);
}

// Of whom is waited for, to the run: what a publisher is owed needs no finer measure.
std::uint64_t Channel::slowest_position() const {
  if (config_.slow_policy != SlowPolicy::kWait) return log_.end().position;
  const auto run = readers_.slowest();
  return run ? index_.find(*run)->begin.position : log_.end().position;
}

std::optional<Owed> Channel::pay() {
  if (owed_.empty() || owed_.front().end > slowest_position() + backlog_limit()) {
    return std::nullopt;
  }
  return owed_.pop_front();
}

}  // namespace orzatty::hub
