#include "hub/channel.h"

#include <algorithm>

#include "base/assert.h"
#include "base/planted.h"
#include "wire/frame_cursor.h"
#include "wire/message.h"

namespace orzatty::hub {

namespace {

// What every subscriber is owed of values is kept beside the log, so nobody waits for the slow; and
// nobody does where messages travel as datagrams. spec: DATAGRAM-8
ChannelConfig effective(ChannelConfig config) {
  const bool waits = config.mode != DeliveryMode::kLatest && config.mode != DeliveryMode::kDatagram;
  if (!waits) config.slow_policy = SlowPolicy::kDropOldest;
  return config;
}

}  // namespace

Channel::Channel(ChannelName name, ChannelEpoch epoch, const ChannelConfig& config,
                 const Limits& limits, base::SegmentPool& pool, ChannelTraffic& traffic)
    : name_(std::move(name)),
      epoch_(epoch),
      config_(effective(config)),
      traffic_(traffic),
      size_max_(limits.channel_size_max),
      log_(pool, base::SegmentPool::kSizeMin),
      index_(pool),
      deadlines_(pool),
      producers_(pool),
      values_(config.mode == DeliveryMode::kLatest
                  ? std::make_unique<LatestValues>(
                        LatestValues::Bounds{limits.latest_key_count_max, limits.channel_size_max},
                        pool, producers_)
                  : nullptr),
      owed_(pool) {}

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
  const bool stored = store(batch, now);
  if (!stored) revoke();
  return stored;
}

void Channel::revoke() {
  if (values_ != nullptr) values_->revoke();
}

bool Channel::store(const Batch& batch, Instant now) {
  if (overtaken_too_far(batch)) return false;
  if (!index_.make_room() || !producers_.make_room(batch.producer)) return false;
  if (values_ != nullptr && !values_->stage(batch.body, now)) return false;
  if (values_ == nullptr && batch.has_attributes && !deadlines_.make_room(batch.body)) return false;
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
  if (index_.end_number() != end_before) {
    producers_.run_added(batch.producer, runs_up_to(batch.producer, batch.first), end_before);
  }
  note_stored(batch, begin, now);
  return true;
}

// What was stored out of order is let go of in the order of the log: that costs no more in all.
bool Channel::overtaken_too_far(const Batch& batch) const {
  const auto& runs = producers_[batch.producer].runs;
  if (runs.size() <= kOvertakenMax) return false;
  return index_.find(runs[runs.size() - 1 - kOvertakenMax])->first_sequence > batch.first;
}

// The log got it.
void Channel::note_stored(const Batch& batch, base::LogCursor begin, Instant now) {
  const Offset first(index_.next_offset().value() - batch.count);
  if (values_ != nullptr) return values_->put(first, batch.producer);
  if (batch.has_attributes) deadlines_.note(batch.body, first, begin, now);
  if (config_.slow_policy == SlowPolicy::kLatest) {
    newest_ = begin;
    if (batch.count > 1) note_newest(batch.body, begin);
  }
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
  if (held() > size_max_) return true;
  if (keep.bytes != 0 && kept_bytes_ - run.bytes >= keep.bytes) return true;
  const std::uint64_t count_left = index_.next_offset() - run.end_offset();
  const std::uint64_t early = base::planted(base::PlantedBug::kLetsGoEarly) ? keep.count / 2 : 0;
  if (keep.count != 0 && count_left + early >= keep.count) return true;
  return keep.age != Duration::zero() && now >= *next_of_age();
}

void Channel::trim(Instant now, std::vector<ChannelReader*>& overtaken) {
  if (values_ != nullptr) values_->forget_expired(now);
  bool trimmed = false;
  while (!index_.empty() && may_go(index_.front(), now)) {
    if (config_.slow_policy == SlowPolicy::kWait && readers_.count_at_front() > 0) break;
    kept_bytes_ -= index_.front().bytes;
    const base::LogRun& oldest = index_.front();
    producers_.run_removed(oldest.producer, runs_up_to(oldest.producer, oldest.first_sequence) - 1);
    index_.pop_front();
    readers_.pop_front(overtaken);
    trimmed = true;
  }
  if (!trimmed) return;
  index_.shrink();
  if (values_ != nullptr) overtaken.clear();  // what they would read next is not in the log
  deadlines_.forget_below(index_.first_offset());
  log_.trim(index_.empty() ? log_.end() : index_.front().begin);
}

// The time of a run is that of its first message; the last may be this much younger.
std::optional<Instant> Channel::next_of_age() const {
  if (config_.retention.age == Duration::zero() || index_.empty()) return std::nullopt;
  return index_.front().appended + base::RunIndex::kRunAgeMax + config_.retention.age;
}

std::optional<Instant> Channel::next_expiry() const {
  const auto by_age = next_of_age();
  const auto by_value = values_ == nullptr ? std::nullopt : values_->next_look();
  if (!by_age || !by_value) return by_age ? by_age : by_value;
  return std::min(*by_age, *by_value);
}

Offset Channel::first_kept() const {
  if (values_ == nullptr) return index_.first_offset();
  return values_->empty() ? index_.next_offset() : values_->values().begin()->first;
}

Offset Channel::newest_kept(std::uint64_t count) const {
  const Offset end = index_.next_offset();
  if (values_ != nullptr) return values_->newest(count).value_or(end);
  return Offset(end.value() - std::min<std::uint64_t>(end - index_.first_offset(), count));
}

base::LogCursor Channel::locate(Offset offset) const {
  const auto number = index_.find(offset);
  ORZATTY_ASSERT(number.has_value());
  const base::LogRun* const run = index_.find(*number);
  if (run == nullptr) return log_.end();
  base::LogCursor cursor = run->begin;
  wire::skip_frames(cursor, offset - run->first_offset);
  return cursor;
}

std::size_t Channel::runs_up_to(base::ProducerNumber producer, Sequence sequence) const {
  const base::ChargedRing<base::RunNumber>& runs = producers_[producer].runs;
  std::size_t low = 0;
  for (std::size_t high = runs.size(); low < high;) {
    const std::size_t middle = low + (high - low) / 2;
    if (index_.find(runs[middle])->first_sequence <= sequence) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Channel::Past Channel::find(base::ProducerNumber producer, Sequence first,
                            std::uint64_t count) const {
  const base::ChargedRing<base::RunNumber>& runs = producers_[producer].runs;
  const std::size_t place = runs_up_to(producer, first);
  std::uint64_t until = count;
  if (place < runs.size()) {
    until = std::min(until, index_.find(runs[place])->first_sequence - first);
  }
  if (place == 0) return {.fate = Past::Fate::kForgotten, .offset = {}, .count = until};
  const base::LogRun& run = *index_.find(runs[place - 1]);
  const std::uint64_t inside = first - run.first_sequence;
  if (inside >= run.count) {
    // Where no order is kept, what was let go of may lie between what is kept.
    const bool in_order = producers_[producer].mode != DeliveryMode::kUnordered;
    return {.fate = in_order ? Past::Fate::kRefused : Past::Fate::kForgotten,
            .offset = {},
            .count = until};
  }
  return {.fate = Past::Fate::kKept,
          .offset = run.first_offset + inside,
          .count = std::min(until, run.count - inside)};
}

std::uint64_t Channel::backlog_limit() const {
  return std::min(std::max(config_.retention.bytes, kBacklogMin), size_max_);
}

// Of whom is waited for, to the run: what a publisher is owed needs no finer measure.
std::uint64_t Channel::slowest_position() const {
  const auto run = config_.slow_policy == SlowPolicy::kWait ? readers_.slowest() : std::nullopt;
  if (!run) return end_position();
  return index_.find(*run)->begin.position + run->value() * kRunCost;
}

std::optional<Owed> Channel::pay() {
  if (owed_.empty() || owed_.front().end > slowest_position() + backlog_limit()) {
    return std::nullopt;
  }
  const Owed owed = owed_.pop_front();
  owed_.shrink();
  return owed;
}

}  // namespace orzatty::hub
