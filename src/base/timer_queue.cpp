#include "base/timer_queue.h"

namespace orzatty::base {

void TimerQueue::set(Slot slot, std::optional<Instant> deadline) {
  if (slot >= timers_.size()) timers_.resize(slot + 1);
  Timer& timer = timers_[slot];
  timer.deadline = deadline;
  if (!deadline) return;  // its node, if any, is found out when its time comes
  if (timer.place == kAbsent) {
    heap_.push_back({*deadline, slot});
    timer.place = heap_.size() - 1;
    sift_up(timer.place);
  } else if (*deadline < heap_[timer.place].when) {
    heap_[timer.place].when = *deadline;
    sift_up(timer.place);
  }
}

std::optional<Instant> TimerQueue::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

std::optional<TimerQueue::Slot> TimerQueue::pop_due(Instant now) {
  while (!heap_.empty() && heap_.front().when <= now) {
    const Slot slot = heap_.front().slot;
    Timer& timer = timers_[slot];
    if (timer.deadline && *timer.deadline > heap_.front().when) {  // it moved later meanwhile
      heap_.front().when = *timer.deadline;
      sift_down(0);
      continue;
    }
    pop_top();
    if (timer.deadline) {
      timer.deadline.reset();
      return slot;
    }
  }
  return std::nullopt;
}

void TimerQueue::place(std::size_t index, const Node& node) {
  heap_[index] = node;
  timers_[node.slot].place = index;
}

void TimerQueue::sift_up(std::size_t index) {
  const Node node = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent] <= node) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, node);
}

void TimerQueue::sift_down(std::size_t index) {
  const Node node = heap_[index];
  while (true) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (node <= heap_[child]) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, node);
}

void TimerQueue::pop_top() {
  timers_[heap_.front().slot].place = kAbsent;
  const Node last = heap_.back();
  heap_.pop_back();
  if (heap_.empty()) return;
  place(0, last);
  sift_down(0);
}

}  // namespace orzatty::base
