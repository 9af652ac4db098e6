// With all faults healed and everybody running, some cursor moves within a bound for as long as
// anything is left to do: nothing waits for each other.
#pragma once

#include <chrono>
#include <string>

#include "sim/checker.h"
#include "sim/trace.h"

namespace orzatty::sim {

class Progress final : public Checker {
 public:
  // A connection that was cut is noticed after dead_after, 10 s, and there is another one in 2 s
  // and a few round trips.
  static constexpr Duration kStillMax = std::chrono::seconds(16);

  explicit Progress(const Trace& trace) : Checker("progress"), trace_(trace) {}

  void handle(const Happening& happening) override {
    if (moves(happening)) last_move_ = trace_.now;
    const auto* waiting = std::get_if<StillWaiting>(&happening);
    if (waiting == nullptr || trace_.now <= last_move_ + kStillMax) return;
    violated("nothing moves, and " + std::string(waiting->who));
  }

 private:
  static bool moves(const Happening& happening) {
    return std::holds_alternative<Healed>(happening) ||
           std::holds_alternative<MessagesSeen>(happening) ||
           std::holds_alternative<GapSeen>(happening) ||
           std::holds_alternative<ResetSeen>(happening) ||
           std::holds_alternative<FateTold>(happening) ||
           std::holds_alternative<Published>(happening) ||
           std::holds_alternative<DirectSeen>(happening) ||
           std::holds_alternative<ReplySeen>(happening) ||
           std::holds_alternative<RequestOver>(happening) ||
           std::holds_alternative<WasWelcomed>(happening) ||
           std::holds_alternative<SubscriptionConfirmed>(happening);
  }

  const Trace& trace_;
  Instant last_move_;
};

}  // namespace orzatty::sim
