#include "hub/channel.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "hub/channel_reader.h"
#include "wire/varint.h"

namespace orzatty::hub {

namespace {

// The size of the message frame at the cursor. A frame's header may lie in two segments.
std::uint64_t frame_size_at(base::LogCursor cursor, std::uint64_t bytes_left) {
  std::array<std::byte, 9> header{};  // byte 0 and the longest varint
  std::size_t filled = 0;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(header.size(), bytes_left));
  while (filled < wanted) {
    const base::Piece piece = base::Log::take(cursor, wanted - filled);
    std::ranges::copy(piece.bytes, header.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += piece.bytes.size();
  }
  const wire::DecodedVarint length = wire::decode_varint(BytesView(header).subspan(1));
  return 1 + length.size + length.value;
}

}  // namespace

Channel::Channel(ChannelName name, ChannelEpoch epoch, const ChannelConfig& config,
                 std::uint64_t size_max, base::SegmentPool& pool)
    : name_(std::move(name)),
      epoch_(epoch),
      config_(config),
      size_max_(size_max),
      log_(pool, base::SegmentPool::kSizeMin) {}

base::ProducerNumber Channel::add(const ProducerId& id, std::string_view identity) {
  Producer made{.id = id, .epoch = {}, .next = {}, .identity = std::string(identity), .owner = {}};
  base::ProducerNumber number(static_cast<std::uint32_t>(producers_.size()));
  if (free_numbers_.empty()) {
    producers_.push_back(std::move(made));
  } else {
    number = free_numbers_.back();
    free_numbers_.pop_back();
    producers_[number.value()] = std::move(made);
    for (ChannelReader* reader : readers_) reader->forget(number);
  }
  numbers_.emplace(id, number);
  return number;
}

Producer& Channel::producer(base::ProducerNumber number) { return producers_[number.value()]; }

// spec: PUBLISH-6
bool Channel::append(base::ProducerNumber producer, Sequence first, std::uint64_t count,
                     BytesView frames, Instant now) {
  base::LogCursor begin = log_.end();
  if (!log_.append(frames, count)) return false;
  kept_bytes_ += frames.size();
  index_.append({.producer = producer,
                 .first_sequence = first,
                 .first_offset = index_.next_offset(),
                 .count = count,
                 .bytes = frames.size(),
                 .begin = begin,
                 .appended = now});
  return true;
}

void Channel::remove_reader(ChannelReader& reader) {
  std::erase(readers_, &reader);
  std::erase(waiters_, &reader);
}

// The first offset that somebody who is waited for has not been given.
Offset Channel::slowest() const {
  Offset slowest = index_.next_offset();
  if (config_.slow_policy != SlowPolicy::kWait) return slowest;
  for (const ChannelReader* reader : readers_) slowest = std::min(slowest, reader->next());
  return slowest;
}

std::uint64_t Channel::slowest_position() const {
  std::uint64_t position = log_.end().position;
  if (config_.slow_policy != SlowPolicy::kWait) return position;
  for (const ChannelReader* reader : readers_) position = std::min(position, reader->position());
  return position;
}

bool Channel::may_go(const base::LogRun& run, Instant now) const {
  const Retention& keep = config_.retention;
  if (kept_bytes_ > size_max_) return true;
  if (keep.bytes != 0 && kept_bytes_ - run.bytes >= keep.bytes) return true;
  const std::uint64_t count_left = index_.next_offset() - run.end_offset();
  if (keep.count != 0 && count_left >= keep.count) return true;
  return keep.age != Duration::zero() && now >= run.appended + keep.age;
}

void Channel::trim(Instant now) {
  if (index_.empty() || !may_go(index_.front(), now)) return;
  const Offset needed = slowest();
  while (!index_.empty() && index_.front().end_offset() <= needed && may_go(index_.front(), now)) {
    kept_bytes_ -= index_.front().bytes;
    index_.pop_front();
  }
  log_.trim(index_.empty() ? log_.end() : index_.front().begin);
}

std::optional<Instant> Channel::next_expiry() const {
  if (config_.retention.age == Duration::zero() || index_.empty()) return std::nullopt;
  return index_.front().appended + config_.retention.age;
}

base::LogCursor Channel::locate(Offset offset) const {
  const auto number = index_.find(offset);
  ORZATTY_ASSERT(number.has_value());
  const base::LogRun* const run = index_.find(*number);
  if (run == nullptr) return log_.end();
  base::LogCursor cursor = run->begin;
  std::uint64_t left = run->bytes;
  for (Offset at = run->first_offset; at < offset; at += 1) {
    const std::uint64_t size = frame_size_at(cursor, left);
    base::Log::skip(cursor, size);
    left -= size;
  }
  return cursor;
}

std::optional<Owed> Channel::pay() {
  if (owed_.empty()) return std::nullopt;
  const std::uint64_t limit = std::max(config_.retention.bytes, kBacklogMin);
  if (owed_.front().end > slowest_position() + limit) return std::nullopt;
  return owed_.pop_front();
}

}  // namespace orzatty::hub
