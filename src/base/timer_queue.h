// Deadlines by small numbers ("slots"), for ten thousand connections whose deadlines move with
// every packet. A deadline that moves later costs nothing until its old time comes; equal deadlines
// come in the order of slots. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "orzatty/time.h"

namespace orzatty::base {

class TimerQueue {
 public:
  using Slot = std::uint32_t;

  void set(Slot slot, std::optional<Instant> deadline);
  // The time by which pop_due() has to be called; may be early, never late.
  [[nodiscard]] std::optional<Instant> next() const;
  // A slot whose deadline has come; it has none from then on.
  [[nodiscard]] std::optional<Slot> pop_due(Instant now);

 private:
  static constexpr std::size_t kAbsent = ~std::size_t{0};
  struct Timer {
    std::optional<Instant> deadline;
    std::size_t place = kAbsent;  // in the heap
  };
  struct Node {
    Instant when;  // not after the slot's deadline
    Slot slot;
    auto operator<=>(const Node&) const = default;
  };

  void place(std::size_t index, const Node& node);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);
  void pop_top();

  std::vector<Timer> timers_;  // by slot
  std::vector<Node> heap_;
};

}  // namespace orzatty::base
