#include "session/send_table.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "base/planted.h"

namespace orzatty::session {

SendTable::SendTable() {
  Entry& control = entries_.emplace_back();
  control.state = State::kOpening;  // opened() by whoever knows its stream
}

SendTable::Entry& SendTable::entry(StreamKey stream) {
  ORZATTY_ASSERT(stream.value() < entries_.size());
  return entries_[stream.value()];
}

SendQueue& SendTable::queue(StreamKey stream) { return entry(stream).queue; }

StreamKey SendTable::add(std::uint8_t priority) {
  StreamKey stream;
  if (free_.empty()) {
    stream = StreamKey(static_cast<std::uint32_t>(entries_.size()));
    entries_.emplace_back();
  } else {
    stream = free_.back();
    free_.pop_back();
  }
  Entry& added = entry(stream);
  added.state = State::kOpening;
  added.priority = std::min(priority, kPriorityMax);
  added.parent = kControlKey;
  ++added.life;
  added.passing_unsent = added.passing_count = 0;
  added.in_openings = true;
  to_open_.push_back(stream);
  return stream;
}

StreamKey SendTable::add_passing(StreamKey parent) {
  const StreamKey stream = add(entry(parent).priority);
  Entry& added = entry(stream);
  added.parent = parent;
  added.parent_life = entry(parent).life;
  ++entry(parent).passing_count;
  return stream;
}

std::uint64_t SendTable::passing_unsent(StreamKey parent) const {
  return entries_[parent.value()].passing_unsent;
}

bool SendTable::has_passing(StreamKey parent) const {
  return entries_[parent.value()].passing_count > 0;
}

SendTable::Entry* SendTable::parent_of(const Entry& entry) {
  if (entry.parent == kControlKey) return nullptr;
  Entry& parent = entries_[entry.parent.value()];
  return parent.life == entry.parent_life ? &parent : nullptr;
}

void SendTable::relieve_parent(Entry& entry, std::uint64_t size) {
  size = std::min(size, entry.charged);
  entry.charged -= size;
  Entry* const parent = parent_of(entry);
  if (size == 0 || parent == nullptr) return;
  parent->passing_unsent -= size;
  if (parent->passing_unsent < kRefillBelow) wake(entry.parent);
}

void SendTable::wake(StreamKey stream) {
  Entry& waking = entry(stream);
  if (waking.in_turns || waking.blocked || waking.state != State::kOpen) return;
  if (stream == kControlKey) return;  // is asked first anyway
  line_up(stream, waking);
}

void SendTable::line_up(StreamKey stream, Entry& entry) {
  entry.in_turns = true;
  entry.turn_left = kTurn;
  entry.line = entry.priority;
  turns_[entry.line].push_back(stream);
  lines_ |= 1U << entry.line;
}

void SendTable::leave_line(base::Ring<StreamKey>& line, std::size_t priority) {
  line.pop_front();
  if (line.empty()) lines_ &= ~(1U << priority);
}

void SendTable::set_priority(StreamKey stream, std::uint8_t priority) {
  entry(stream).priority = std::min(priority, kPriorityMax);
}

void SendTable::finish(StreamKey stream) {
  Entry& ending = entry(stream);
  const bool lost = base::planted(base::PlantedBug::kPassingEndIsLost);
  ending.finishing = !lost || ending.parent == kControlKey;
  if (Entry* const parent = parent_of(ending)) {
    ending.charged = ending.queue.unsent();
    parent->passing_unsent += ending.charged;
  }
  if (ending.queue.unsent() == 0) ending.blocked = false;  // an end needs no credit
  wake(stream);
}

void SendTable::release(StreamKey stream) {
  Entry& released = entry(stream);
  if (released.state == State::kFree) return;
  in_flight_ -= released.queue.in_flight();
  relieve_parent(released, released.charged);
  if (Entry* const parent = parent_of(released)) --parent->passing_count;
  released.queue.clear();
  released.finishing = released.blocked = false;
  released.state = State::kFree;
  retire(stream, released);
}

void SendTable::retire(StreamKey stream, const Entry& entry) {
  if (stream == kControlKey || entry.in_turns || entry.in_openings) return;
  free_.push_back(stream);
}

std::optional<StreamKey> SendTable::next_to_open() {
  while (!to_open_.empty()) {
    const StreamKey stream = to_open_.front();
    Entry& waiting = entry(stream);
    if (waiting.state == State::kOpening) return stream;
    to_open_.pop_front();
    waiting.in_openings = false;
    retire(stream, waiting);
  }
  return std::nullopt;
}

void SendTable::opened(StreamKey stream) {
  Entry& opened = entry(stream);
  if (stream != kControlKey) {
    ORZATTY_ASSERT(to_open_.front() == stream);
    to_open_.pop_front();
    opened.in_openings = false;
  }
  if (opened.state == State::kOpening) opened.state = State::kOpen;
  wake(stream);
}

bool SendTable::settled() const {
  return in_flight_ == 0 && std::ranges::all_of(entries_, [](const Entry& entry) {
           return entry.queue.unsent() == 0;
         });
}

bool SendTable::settled(StreamKey stream) const {
  const Entry& ended = entries_[stream.value()];
  return ended.state == State::kFinished && ended.queue.in_flight() == 0;
}

bool SendTable::control_ready() const {
  const Entry& control = entries_.front();
  return control.state == State::kOpen && !control.blocked && control.queue.unsent() > 0;
}

bool SendTable::fill(Offer& offer, StreamKey stream, Entry& entry, Refill& source) {
  if (stream != kControlKey && !entry.finishing && entry.queue.unsent() < kRefillBelow) {
    source.refill(stream, entry.queue);
  }
  offer.stream = stream;
  if (entry.queue.unsent() == 0 && !entry.finishing) {
    if (stream == kControlKey) return false;
    if (source.offer_datagram(stream, entry.queue, offer)) return true;
    if (entry.queue.unsent() == 0) return false;
  }
  offer.span_count = entry.queue.peek(offer.spans);
  std::uint64_t offered = 0;
  for (const BytesView span : offer.bytes()) offered += span.size();
  offer.fin = entry.finishing && offered == entry.queue.unsent() ? Fin::kYes : Fin::kNo;
  return true;
}

// spec: PRIORITY-2
void SendTable::begin_turn(const SendWindow& window, Instant now) {
  now_ = now;
  yielding_below_ = kPriorityCount - 1;
  while (yielding_below_ > 0 && yield_until_[yielding_below_] <= now) --yielding_below_;
  const auto share = static_cast<std::uint64_t>(static_cast<double>(window.size) * kYieldShare);
  yield_left_ = share - std::min(share, window.in_flight);
}

std::optional<Offer> SendTable::offer(Refill& source) {
  std::optional<Offer> offer(std::in_place);  // made where it is returned: it is large
  if (control_ready() && fill(*offer, kControlKey, entries_.front(), source)) return offer;
  // spec: PRIORITY-1
  while (lines_ != 0) {
    const auto priority = static_cast<std::size_t>(std::bit_width(lines_) - 1);
    // spec: PRIORITY-2
    if (priority < yielding_below_ && yield_left_ == 0) break;
    base::Ring<StreamKey>& line = turns_[priority];
    const StreamKey stream = line.front();
    Entry& entry = entries_[stream.value()];
    if (entry.state == State::kOpen && !entry.blocked && fill(*offer, stream, entry, source)) {
      return offer;
    }
    leave_line(line, priority);
    entry.in_turns = false;
    if (entry.state == State::kFree) retire(stream, entry);
  }
  offer.reset();
  return offer;
}

void SendTable::end_turn(StreamKey stream, Entry& entry) {
  base::Ring<StreamKey>& line = turns_[entry.line];
  if (!entry.in_turns || line.empty() || line.front() != stream) return;
  leave_line(line, entry.line);
  line_up(stream, entry);
}

void SendTable::taken(StreamKey stream, std::uint64_t size, Fin fin) {
  Entry& sender = entry(stream);
  sender.queue.taken(size);
  in_flight_ += size;
  yield_left_ -= std::min(size, yield_left_);
  if (stream != kControlKey) let_yield(sender);
  relieve_parent(sender, size);
  if (fin == Fin::kYes) {
    sender.state = State::kFinished;
    sender.finishing = false;
    return;
  }
  use_turn(stream, sender, size);
}

void SendTable::datagram_taken(StreamKey stream, std::uint64_t size) {
  yield_left_ -= std::min(size, yield_left_);
  let_yield(entry(stream));
  use_turn(stream, entry(stream), size);
}

// spec: PRIORITY-2
void SendTable::let_yield(const Entry& sender) {
  yield_until_[sender.line] = now_ + kYieldFor;
  yielding_below_ = std::max<std::size_t>(yielding_below_, sender.line);
}

void SendTable::use_turn(StreamKey stream, Entry& entry, std::uint64_t size) {
  if (size < entry.turn_left) {
    entry.turn_left -= size;
  } else {
    end_turn(stream, entry);
  }
}

void SendTable::acked(StreamKey stream, std::uint64_t size) {
  Entry& sender = entry(stream);
  if (sender.state == State::kFree) return;
  sender.queue.acked(size);
  in_flight_ -= size;
}

void SendTable::blocked(StreamKey stream) { entry(stream).blocked = true; }

void SendTable::writable(StreamKey stream) {
  entry(stream).blocked = false;
  wake(stream);
}

}  // namespace orzatty::session
