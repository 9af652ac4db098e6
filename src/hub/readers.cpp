#include "hub/readers.h"

#include <algorithm>

#include "base/assert.h"
#include "base/planted.h"
#include "hub/channel_reader.h"

namespace orzatty::hub {

namespace {

// Takes one out of a list whose order nobody sees, by putting the last in its place.
void take_out(std::vector<ChannelReader*>& list, std::size_t place,
              std::size_t Standing::* place_of) {
  ChannelReader* const last = list.back();
  list[place] = last;
  last->standing.*place_of = place;
  list.pop_back();
}

}  // namespace

void Readers::enter(ChannelReader& reader) {
  reader.standing = {
      .state = Standing::State::kOvertaken, .run = {}, .place = all_.size(), .waiting = 0};
  all_.push_back(&reader);
}

void Readers::leave(ChannelReader& reader) {
  clear_standing(reader);
  take_out(all_, reader.standing.place, &Standing::place);
}

void Readers::clear_standing(ChannelReader& reader) {
  Standing& standing = reader.standing;
  if (standing.state == Standing::State::kBehind) {
    --count_at(standing.run);
  } else if (standing.state == Standing::State::kCaughtUp) {
    take_out(caught_up_, standing.waiting, &Standing::waiting);
  }
  standing.state = Standing::State::kOvertaken;
}

std::uint32_t& Readers::count_at(base::RunNumber run) {
  ORZATTY_ASSERT(run >= first_);
  const std::size_t index = static_cast<std::size_t>(run.value() - first_.value());
  while (counts_.size() <= index) counts_.push_back(0);
  return counts_[index];
}

void Readers::set_behind(ChannelReader& reader, base::RunNumber run) {
  clear_standing(reader);
  ++count_at(run);
  passed_ = std::min(passed_, static_cast<std::size_t>(run.value() - first_.value()));
  reader.standing.state = Standing::State::kBehind;
  reader.standing.run = run;
}

void Readers::set_caught_up(ChannelReader& reader) {
  clear_standing(reader);
  reader.standing.state = Standing::State::kCaughtUp;
  reader.standing.waiting = caught_up_.size();
  caught_up_.push_back(&reader);
}

const std::vector<ChannelReader*>& Readers::wake(base::RunNumber run) {
  woken_.clear();
  constexpr std::uint64_t kForgotten = 64;
  if (base::planted(base::PlantedBug::kWakesNobody) && run.value() % kForgotten == 1) {
    return woken_;
  }
  woken_.swap(caught_up_);
  if (woken_.empty()) return woken_;
  count_at(run) += static_cast<std::uint32_t>(woken_.size());
  passed_ = std::min(passed_, static_cast<std::size_t>(run.value() - first_.value()));
  for (ChannelReader* reader : woken_) {
    reader->standing.state = Standing::State::kBehind;
    reader->standing.run = run;
  }
  return woken_;
}

std::uint32_t Readers::count_at_front() const {
  if (base::planted(base::PlantedBug::kNobodyIsWaitedFor)) return 0;
  return counts_.empty() ? 0 : counts_.front();
}

void Readers::pop_front(std::vector<ChannelReader*>& overtaken) {
  const std::uint32_t count = counts_.empty() ? 0 : counts_.pop_front();
  counts_.shrink();
  // Once per reader that falls behind, so looking at all of them is rare.
  for (std::size_t i = 0, left = count; left > 0; ++i) {
    Standing& standing = all_[i]->standing;
    if (standing.state != Standing::State::kBehind || standing.run != first_) continue;
    standing.state = Standing::State::kOvertaken;
    overtaken.push_back(all_[i]);
    --left;
  }
  first_ = base::RunNumber(first_.value() + 1);
  if (passed_ > 0) --passed_;
}

std::optional<base::RunNumber> Readers::slowest() const {
  while (passed_ < counts_.size() && counts_[passed_] == 0) ++passed_;
  if (passed_ == counts_.size()) return std::nullopt;
  return base::RunNumber(first_.value() + passed_);
}

}  // namespace orzatty::hub
