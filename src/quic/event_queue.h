// Events in the order in which they happened, waiting for poll(). Keeps its memory.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "quic/connection.h"

namespace orzatty::quic {

class EventQueue {
 public:
  template <class Kind>
  void push(Kind event) {
    events_.emplace_back(std::move(event));
  }

  // Acknowledgements come per packet; what follows on the same stream is one event.
  void push_acked(StreamId stream, std::uint64_t size) {
    auto* last = newest<StreamAcked>();
    if (last != nullptr && last->stream == stream) {
      last->size += size;
    } else {
      push(StreamAcked{stream, size});
    }
  }

  void push_streams_granted() {
    if (newest<StreamsGranted>() == nullptr) push(StreamsGranted{});
  }

  std::optional<Event> pop() {
    if (first_ == events_.size()) return {};
    std::optional<Event> event(std::move(events_[first_++]));
    if (first_ == events_.size()) {
      events_.clear();
      first_ = 0;
    }
    return event;
  }

 private:
  template <class Kind>
  Kind* newest() {
    return first_ == events_.size() ? nullptr : std::get_if<Kind>(&events_.back());
  }

  std::vector<Event> events_;
  std::size_t first_ = 0;
};

}  // namespace orzatty::quic
