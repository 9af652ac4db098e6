// Who has news, for the one thread that asks: it looks at those who told it instead of at all.
//
// Telling again what was not taken yet costs a load, so a writer tells after each thing that it writes.
// That load has no fence: it may be from before the news were taken, while what was written a moment
// ago was not seen yet. Whoever takes therefore looks at all now and then, and before sleeping (with a
// barrier on all threads).
//
// Threads: tell() from any, for one item from one at a time; take() from one. No lock, no allocation.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace orzatty::base {

class Newsline {
 public:
  // One who may have news. Not destroyed between tell() and take().
  class Item {
   public:
    std::uint64_t of = 0;  // whoever takes it knows whose it is

   private:
    friend class Newsline;
    std::atomic<bool> told_{false};
    Item* next_ = nullptr;
  };

  Newsline() = default;
  Newsline(const Newsline&) = delete;
  Newsline& operator=(const Newsline&) = delete;

  void tell(Item& item) {
    if (item.told_.load(std::memory_order_relaxed)) [[likely]] return;
    if (!item.told_.exchange(true)) push(item);
  }
  [[nodiscard]] bool empty() const { return last_.load(std::memory_order_relaxed) == nullptr; }
  // Calls `look(Item&)` for each who told, in the order in which they did, once.
  template <class Look>
  void take(Look look) {
    if (empty()) return;
    Item* item = in_order(last_.exchange(nullptr, std::memory_order_acquire));
    while (item != nullptr) {
      Item* const next = item->next_;
      item->told_.store(false);  // before looking: what is written from now on is told again
      look(*item);
      item = next;
    }
  }

 private:
  void push(Item& item) {
    item.next_ = last_.load(std::memory_order_relaxed);
    while (!last_.compare_exchange_weak(item.next_, &item, std::memory_order_release,
                                        std::memory_order_relaxed)) {
    }
  }
  static Item* in_order(Item* last) {
    Item* first = nullptr;
    while (last != nullptr) {
      Item* const before = std::exchange(last->next_, first);
      first = std::exchange(last, before);
    }
    return first;
  }

  std::atomic<Item*> last_{nullptr};
};

}  // namespace orzatty::base
