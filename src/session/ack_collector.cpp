#include "session/ack_collector.h"

#include "base/planted.h"

namespace orzatty::session {

void AckCollector::accepted(const wire::AckRun& run, std::uint64_t bytes, std::uint32_t nonce,
                            Instant now) {
  ack_.nonce = nonce;
  messages_ += run.count;
  bytes_ += bytes;
  if (!due_at_) due_at_ = now + delay_;
  if (!extend(run)) ack_.runs.push_back(run);
}

bool AckCollector::extend(const wire::AckRun& run) {
  for (auto last = ack_.runs.rbegin(); last != ack_.runs.rend(); ++last) {
    if (last->publication != run.publication) continue;
    if (last->count == 0 || run.count == 0 || last->duplicate != run.duplicate) return false;
    if (last->first + last->count != run.first) return false;
    if (last->forgotten != run.forgotten) return false;
    const bool dense = run.forgotten || last->first_offset + last->count == run.first_offset;
    if (!dense && !base::planted(base::PlantedBug::kAckJoinsStrangers)) return false;
    last->count += run.count;
    return true;
  }
  return false;
}

bool AckCollector::due(Instant now) const {
  if (!due_at_) return false;
  return now >= *due_at_ || messages_ >= every_ || bytes_ >= every_bytes_ || full();
}

void AckCollector::clear() {
  ack_.runs.clear();
  messages_ = bytes_ = 0;
  due_at_.reset();
}

}  // namespace orzatty::session
