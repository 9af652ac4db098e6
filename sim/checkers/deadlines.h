// In time, or said so: whoever asks for a channel when a message has expired is not given it, and
// no message is said to have expired before its time is over.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "sim/archive.h"
#include "sim/checker.h"
#include "sim/trace.h"

namespace orzatty::sim {

class Deadlines final : public Checker {
 public:
  Deadlines(const Archive& archive, const Trace& trace)
      : Checker("deadlines"), archive_(archive), trace_(trace) {}
  void handle(const Happening& happening) override;

 private:
  // The server rounds times to live up to steps of this.
  static constexpr Duration kStep = std::chrono::milliseconds(10);
  struct Timed {
    Instant published;
    Duration time_to_live;
  };

  void handle(const MessagesSeen& seen);
  void handle(const GapSeen& gap);
  void judge_expiry(const MessageName& name);

  const Archive& archive_;
  const Trace& trace_;
  std::map<MessageName, Timed> timed_;
  std::map<std::pair<ServerLife, MessageName>, Instant> first_seen_;
  std::map<std::pair<ProgramId, SubscriptionId>, Instant> asked_;
};

}  // namespace orzatty::sim
