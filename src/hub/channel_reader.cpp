#include "hub/channel_reader.h"

#include "base/assert.h"

namespace orzatty::hub {

ChannelReader::ChannelReader(Channel& channel, Delivery& delivery, ChannelAlias alias, Offset next)
    : start(next), consumed(next), channel_(channel), delivery_(delivery), alias_(alias), next_(next) {
  if (next_ >= channel_.index().first_offset()) {
    jump(next_);
  } else {
    place_ = channel_.index().front().begin;
  }
  channel_.add_reader(*this);
}

ChannelReader::~ChannelReader() { channel_.remove_reader(*this); }

void ChannelReader::jump(Offset to) {
  next_ = to;
  run_ = *channel_.index().find(to);
  place_ = channel_.locate(to);
  placed_ = true;
}

// spec: SUBSCRIBE-3
std::optional<Gap> ChannelReader::take_gap() {
  const base::RunIndex& index = channel_.index();
  const Offset from = next_;
  if (next_ < index.first_offset()) {
    jump(index.first_offset());
    const bool fell_behind = from > start || channel_.config().slow_policy != SlowPolicy::kWait;
    return Gap{from, next_, fell_behind && from != start ? GapReason::kSlow : GapReason::kRetention};
  }
  if (channel_.config().slow_policy != SlowPolicy::kLatest || index.empty()) return std::nullopt;
  // More than the newest run waits: only its last message still matters.
  const Offset newest(index.next_offset().value() - 1);
  if (index.back().first_offset <= next_ || newest <= next_) return std::nullopt;
  jump(newest);
  return Gap{from, newest, GapReason::kSuperseded};
}

std::optional<ChannelReader::Stretch> ChannelReader::take() {
  const base::RunIndex& index = channel_.index();
  if (next_ == index.next_offset()) return std::nullopt;
  const base::LogRun* run = index.find(run_);
  if (run == nullptr || run->end_offset() == next_) {
    run_ = *index.find(next_);
    run = index.find(run_);
    place_ = run->begin;
  }
  ORZATTY_ASSERT(run != nullptr && placed_ && run->first_offset <= next_);
  Stretch stretch{.producer = run->producer,
                  .first = next_,
                  .count = run->end_offset() - next_,
                  .size = run->begin.position + run->bytes - place_.position,
                  .begin = place_};
  next_ = run->end_offset();
  base::Log::skip(place_, stretch.size);
  return stretch;
}

}  // namespace orzatty::hub
