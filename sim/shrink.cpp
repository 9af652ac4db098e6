#include "sim/shrink.h"

#include <algorithm>

namespace orzatty::sim {

namespace {

class Shrinking {
 public:
  Shrinking(const Task& task, const Outcome& outcome,
            const std::function<void(const Task&, const Outcome&)>& smaller)
      : best_(task), checker_(outcome.violation->checker), smaller_(smaller) {}

  Task shrink() {
    for (bool any = true; any;) {
      any = drop_faults();
      any = drop_incidents() || any;
      any = lower(&Reduction::seconds_max, 30) || any;
      any = lower(&Reduction::message_count_max, 1000) || any;
      any = drop_clients() || any;
    }
    return best_;
  }

 private:
  bool attempt(const Reduction& reduction) {
    if (reduction == best_.reduction) return false;
    Task task = best_;
    task.reduction = reduction;
    const Outcome outcome = play(task);
    if (!outcome.violation || outcome.violation->checker != checker_) return false;
    best_ = task;
    smaller_(task, outcome);
    return true;
  }
  [[nodiscard]] Plan plan() const {
    return plan_of(best_);
  }

  bool drop_faults() {
    bool any = false;
    for (const Fault fault : plan().faults) {
      Reduction reduction = best_.reduction;
      reduction.faults.insert(fault);
      any = attempt(reduction) || any;
    }
    return any;
  }
  bool drop_incidents() {
    bool any = false;
    const Plan all = plan();
    for (std::size_t i = 0; i < all.incidents.size(); ++i) {
      if (all.left_out.contains(i)) continue;
      Reduction reduction = best_.reduction;
      reduction.incidents.insert(i);
      any = attempt(reduction) || any;
    }
    return any;
  }
  bool lower(std::uint64_t Reduction::* bound, std::uint64_t from) {
    bool any = false;
    std::uint64_t value = std::min(best_.reduction.*bound, from);
    while (value > 1) {
      Reduction reduction = best_.reduction;
      reduction.*bound = value = value * 2 / 3;
      if (!attempt(reduction)) break;
      any = true;
    }
    return any;
  }
  bool drop_clients() {
    bool any = false;
    for (std::size_t count = plan().clients.size(); count-- > 1;) {
      Reduction reduction = best_.reduction;
      reduction.client_count_max = count;
      if (!attempt(reduction)) break;
      any = true;
    }
    return any;
  }

  Task best_;
  std::string checker_;
  const std::function<void(const Task&, const Outcome&)>& smaller_;
};

}  // namespace

Task shrink(const Task& task, const Outcome& outcome,
            const std::function<void(const Task&, const Outcome&)>& smaller) {
  return Shrinking(task, outcome, smaller).shrink();
}

}  // namespace orzatty::sim
