#include "base/run_index.h"

#include <algorithm>

#include "base/assert.h"

namespace orzatty::base {

namespace {

bool continues(const LogRun& last, const LogRun& next) {
  return last.producer == next.producer &&
         last.first_sequence + last.count == next.first_sequence &&
         last.bytes + next.bytes <= RunIndex::kRunBytesMax &&
         next.appended - last.appended <= RunIndex::kRunAgeMax;
}

}  // namespace

void RunIndex::append(const LogRun& run) {
  ORZATTY_ASSERT(run.first_offset == next_offset_ && run.count > 0);
  next_offset_ += run.count;
  if (!runs_.empty() && continues(runs_.back(), run)) {
    runs_.back().count += run.count;
    runs_.back().bytes += run.bytes;
  } else {
    runs_.push_back(run);
  }
}

void RunIndex::pop_front() {
  runs_.pop_front();
  first_number_ = RunNumber(first_number_.value() + 1);
}

const LogRun* RunIndex::find(RunNumber number) const {
  if (number < first_number_ || number >= end_number()) return nullptr;
  return &runs_[number.value() - first_number_.value()];
}

std::optional<RunNumber> RunIndex::find(Offset offset) const {
  if (offset == next_offset_) return end_number();
  if (offset > next_offset_ || offset < first_offset()) return std::nullopt;
  std::size_t low = 0;  // the last run that does not begin after `offset`
  std::size_t high = runs_.size();
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (runs_[middle].first_offset <= offset ? low : high) = middle;
  }
  return RunNumber(first_number_.value() + low);
}

std::optional<Offset> RunIndex::find(ProducerNumber producer, Sequence sequence) const {
  for (std::size_t i = runs_.size(); i > 0; --i) {
    const LogRun& run = runs_[i - 1];
    if (run.producer != producer || sequence < run.first_sequence) continue;
    if (sequence >= run.first_sequence + run.count) return std::nullopt;  // skipped or rejected
    return run.first_offset + (sequence - run.first_sequence);
  }
  return std::nullopt;
}

Offset RunIndex::first_offset() const {
  return runs_.empty() ? next_offset_ : runs_.front().first_offset;
}

}  // namespace orzatty::base
