#include "session/send_table.h"

#include "base/assert.h"

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

StreamKey SendTable::add() {
  StreamKey stream;
  if (free_.empty()) {
    stream = StreamKey(static_cast<std::uint32_t>(entries_.size()));
    entries_.emplace_back();
  } else {
    stream = free_.back();
    free_.pop_back();
  }
  entry(stream).state = State::kOpening;
  to_open_.push_back(stream);
  return stream;
}

void SendTable::wake(StreamKey stream) {
  Entry& waking = entry(stream);
  if (waking.in_turns || waking.blocked || waking.state != State::kOpen) return;
  if (stream == kControlKey) return;  // is asked first anyway
  waking.in_turns = true;
  waking.turn_left = kTurn;
  turns_.push_back(stream);
}

void SendTable::finish(StreamKey stream) {
  entry(stream).finishing = true;
  wake(stream);
}

void SendTable::release(StreamKey stream) {
  Entry& released = entry(stream);
  if (released.state == State::kFree) return;
  in_flight_ -= released.queue.in_flight();
  released.queue.clear();
  const bool in_turns = released.in_turns;
  released.finishing = released.blocked = false;
  // A key that still stands in line is given out again only when its turn came.
  released.state = State::kFree;
  if (!in_turns && stream != kControlKey) free_.push_back(stream);
}

std::optional<StreamKey> SendTable::next_to_open() const {
  if (to_open_.empty()) return std::nullopt;
  return to_open_.front();
}

void SendTable::opened(StreamKey stream) {
  if (stream != kControlKey) {
    ORZATTY_ASSERT(to_open_.front() == stream);
    to_open_.pop_front();
  }
  Entry& opened = entry(stream);
  if (opened.state == State::kOpening) opened.state = State::kOpen;
  wake(stream);
}

bool SendTable::control_ready() const {
  const Entry& control = entries_.front();
  return control.state == State::kOpen && !control.blocked && control.queue.unsent() > 0;
}

bool SendTable::fill(Offer& offer, StreamKey stream, Entry& entry, Refill& source) {
  if (entry.queue.unsent() < kRefillBelow && !entry.finishing) source.refill(stream, entry.queue);
  if (entry.queue.unsent() == 0 && !entry.finishing) return false;
  offer.stream = stream;
  offer.span_count = entry.queue.peek(offer.spans);
  std::uint64_t offered = 0;
  for (const BytesView span : offer.bytes()) offered += span.size();
  offer.fin = entry.finishing && offered == entry.queue.unsent() ? Fin::kYes : Fin::kNo;
  return true;
}

std::optional<Offer> SendTable::offer(Refill& source) {
  Offer offer;
  if (control_ready() && fill(offer, kControlKey, entries_.front(), source)) return offer;
  while (!turns_.empty()) {
    const StreamKey stream = turns_.front();
    Entry& entry = entries_[stream.value()];
    if (entry.state == State::kFree) {
      turns_.pop_front();
      entry.in_turns = false;
      free_.push_back(stream);
      continue;
    }
    if (entry.state == State::kOpen && !entry.blocked && fill(offer, stream, entry, source)) {
      return offer;
    }
    turns_.pop_front();
    entry.in_turns = false;
  }
  return std::nullopt;
}

void SendTable::end_turn(StreamKey stream, Entry& entry) {
  if (turns_.empty() || turns_.front() != stream) return;
  turns_.pop_front();
  entry.turn_left = kTurn;
  turns_.push_back(stream);
}

void SendTable::taken(StreamKey stream, std::uint64_t size, Fin fin) {
  Entry& sender = entry(stream);
  sender.queue.taken(size);
  in_flight_ += size;
  if (fin == Fin::kYes) {
    sender.state = State::kFinished;
    sender.finishing = false;
    return;
  }
  if (size < sender.turn_left) {
    sender.turn_left -= size;
  } else {
    end_turn(stream, sender);
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
