#include "hub/channel_reader.h"

#include "base/assert.h"
#include "base/planted.h"
#include "wire/frame_cursor.h"

namespace orzatty::hub {

ChannelReader::ChannelReader(Channel& channel, Delivery& delivery, ChannelAlias alias, Offset next)
    : start(next),
      consumed(next),
      channel_(channel),
      delivery_(delivery),
      alias_(alias),
      next_(next) {
  ORZATTY_ASSERT(next <= channel_.index().next_offset());
  channel_.readers().enter(*this);
  if (channel_.values() != nullptr) {
    if (next_ == channel_.index().next_offset()) channel_.readers().set_caught_up(*this);
    return;
  }
  if (next_ < channel_.index().first_offset()) return;  // overtaken before it began
  gap_reason_ = GapReason::kSlow;
  place_ = channel_.locate(next_);
  const base::RunNumber run = *channel_.index().find(next_);
  if (run == channel_.index().end_number()) {
    channel_.readers().set_caught_up(*this);
  } else {
    channel_.readers().set_behind(*this, run);
  }
}

ChannelReader::~ChannelReader() { channel_.readers().leave(*this); }

ChannelReader::Step ChannelReader::step(Instant now) const {
  if (channel_.values() != nullptr) return next_value(now);
  Step step = next_step();
  const bool timed =
      !channel_.deadlines().empty() && !base::planted(base::PlantedBug::kExpiredIsDelivered);
  if (step.size > 0 && timed) leave_out_expired(step, now);
  return step;
}

// spec: SUBSCRIBE-3, SUBSCRIBE-4
ChannelReader::Step ChannelReader::next_step() const {
  if (auto jumped = jump()) return *jumped;
  const base::RunIndex& index = channel_.index();
  if (standing.state == Standing::State::kBehind) return rest_of(standing.run, next_, place_);
  if (standing.state == Standing::State::kCaughtUp) return rest_of(index.end_number(), next_, {});
  Step step;
  step.run = index.first_number();
  step.first = index.first_offset();
  // Where only the newest value matters a jump follows.
  if (channel_.config().slow_policy != SlowPolicy::kLatest)
    step = rest_of(step.run, step.first, {});
  step.gap = Gap{next_, index.first_offset(), gap_reason_};
  if (base::planted(base::PlantedBug::kGapOneTooShort)) {
    step.gap->to = Offset(step.gap->to.value() - 1);
  }
  return step;
}

// In mode latest: what took the place of everything before it. spec: LATEST-2
ChannelReader::Step ChannelReader::next_value(Instant now) const {
  const LatestValues::ByOffset& values = channel_.values()->values();
  auto value = values.lower_bound(next_);
  constexpr std::uint64_t kEvery = 64;
  const bool passes_over = base::planted(base::PlantedBug::kNewestIsPassedOver);
  if (passes_over && value != values.end() && value->first.value() % kEvery == 1) ++value;
  Step step;
  step.first = value == values.end() ? channel_.index().next_offset() : value->first;
  const bool superseded = next_ < step.first;
  if (superseded) step.gap = Gap{next_, step.first, GapReason::kSuperseded};
  const auto expired = [&] {
    return value != values.end() && value->first == step.first && value->second.expiry &&
           *value->second.expiry <= now;
  };
  if (expired()) {
    if (superseded) return step;  // is told first
    for (; expired(); ++value) step.first += 1;
    step.gap = Gap{next_, step.first, GapReason::kExpired};
  } else if (value != values.end()) {
    step.producer = value->second.producer;
    step.count = 1;
    step.size = value->second.size;
    step.begin = value->second.begin;
  }
  return step;
}

// Where only the newest value matters, and more than its run waits.
std::optional<ChannelReader::Step> ChannelReader::jump() const {
  const base::RunIndex& index = channel_.index();
  if (channel_.config().slow_policy != SlowPolicy::kLatest || index.empty()) return std::nullopt;
  if (index.back().first_offset <= next_) return std::nullopt;
  const bool started_late =
      standing.state == Standing::State::kOvertaken && gap_reason_ == GapReason::kRetention;
  if (started_late) return std::nullopt;  // the part that is no longer kept is told first
  const Offset newest(index.next_offset().value() - 1);
  Step step = rest_of(base::RunNumber(index.end_number().value() - 1), newest, channel_.newest());
  step.gap = Gap{next_, newest, GapReason::kSuperseded};
  if (base::planted(base::PlantedBug::kJumpIsSilent)) step.gap.reset();
  return step;
}

// `place` is where `offset` lies, unless it begins the run.
ChannelReader::Step ChannelReader::rest_of(base::RunNumber number, Offset offset,
                                           base::LogCursor place) const {
  Step step;
  step.run = number;
  step.first = offset;
  const base::LogRun* const run = channel_.index().find(number);
  if (run == nullptr) return step;
  step.begin = run->first_offset == offset ? run->begin : place;
  step.producer = run->producer;
  step.count = run->end_offset() - offset;
  step.size = run->begin.position + run->bytes - step.begin.position;
  return step;
}

// Ends the step before the first message that expired, or, where that is its first one, makes it a
// gap. Of what may still expire only a little goes at once. spec: DEADLINE-2
void ChannelReader::leave_out_expired(Step& step, Instant now) const {
  const Deadlines& deadlines = channel_.deadlines();
  const Offset end = step.first + step.count;
  std::size_t at = deadlines.find(step.first);
  const auto expired = [&](Offset from) {
    return at < deadlines.size() && deadlines[at].from <= from && deadlines[at].at <= now;
  };
  if (expired(step.first)) {
    step.count = step.size = 0;
    if (step.gap) return;  // is told first
    Offset to = step.first;
    const bool more = base::planted(base::PlantedBug::kGapExpiresTooMuch);
    for (int extra = more ? 1 : 0; expired(to) || (at < deadlines.size() && extra-- > 0); ++at) {
      to = deadlines[at].to;
      step.begin = deadlines[at].end_cursor();
    }
    step.gap = Gap{step.first, to, GapReason::kExpired};
    step.first = to;
    return;
  }
  for (; at < deadlines.size() && deadlines[at].from < end; ++at) {
    const Deadlines::Group& group = deadlines[at];
    const std::uint64_t size = group.begin.position - step.begin.position;
    const bool cut = group.at <= now || size >= Deadlines::kGroupBytes;
    if (group.from <= step.first || !cut) continue;
    step.count = group.from - step.first;
    step.size = size;
    return;
  }
}

void ChannelReader::shorten(Step& step, std::uint64_t size_max) {
  if (step.size <= size_max) return;
  const wire::FramesAhead frames = wire::frames_within(step.begin, step.size, size_max);
  step.count = frames.count;
  step.size = frames.size;
}

bool ChannelReader::advance(const Step& step) {
  gap_reason_ = GapReason::kSlow;
  next_ = step.first + step.count;
  if (channel_.values() != nullptr && next_ < channel_.index().next_offset()) return true;
  if (step.begin.segment != nullptr) {
    place_ = step.begin;
    base::Log::skip(place_, step.size);
  }
  if (next_ < channel_.index().next_offset()) {
    channel_.readers().set_behind(*this, run_after(step));
    return true;
  }
  channel_.readers().set_caught_up(*this);
  told_slow = false;
  return false;
}

// The run that holds what comes next.
base::RunNumber ChannelReader::run_after(const Step& step) const {
  const base::RunIndex& index = channel_.index();
  const Offset end = index.find(step.run)->end_offset();
  if (next_ < end) return step.run;
  if (next_ == end) return base::RunNumber(step.run.value() + 1);
  return *index.find(next_);
}

std::optional<ProducerAlias> ChannelReader::find_alias(base::ProducerNumber number) const {
  if (number.value() >= aliases_.size()) return std::nullopt;
  const Known& known = aliases_[number.value()];
  if (known.serial != channel_.producers()[number].serial) return std::nullopt;
  return known.alias;
}

void ChannelReader::set_alias(base::ProducerNumber number, ProducerAlias alias) {
  if (aliases_.size() <= number.value()) aliases_.resize(number.value() + 1);
  aliases_[number.value()] = {channel_.producers()[number].serial, alias};
}

}  // namespace orzatty::hub
