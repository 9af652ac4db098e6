// The client's backup thread: runs the pump when no sending thread does, for idle time and timers.
//
// While another thread waits with the pump it sleeps until that one is done. While senders pump it
// stands by and looks up once a millisecond, without touching the socket, so that it does not
// preempt them. When they have stopped it sends what they left behind and sleeps on the socket; a
// sender that appends then wakes it.
#pragma once

#include <atomic>
#include <optional>
#include <thread>

#include "orzatty/time.h"

namespace orzatty {

class ClientRuntime;

class BackupThread {
 public:
  explicit BackupThread(ClientRuntime& runtime);
  ~BackupThread();  // stops and joins

 private:
  static constexpr Duration kStandBy = std::chrono::milliseconds(1);
  static constexpr Duration kSleepMax = std::chrono::hours(1);  // without any timer

  void run();
  // Pumps until there is nothing to do; false when another thread was pumping meanwhile.
  [[nodiscard]] bool pump_alone();
  void stand_by();
  void sleep();
  // Until when, or nothing when there is something to do.
  [[nodiscard]] std::optional<Instant> prepare_sleep();

  ClientRuntime& runtime_;
  std::atomic<bool> stopping_{false};
  std::uint64_t seen_pumps_ = 0;
  std::thread thread_;
};

}  // namespace orzatty
