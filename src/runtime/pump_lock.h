// The lock of a client's pump: first come, first served, as whoever waits with it would otherwise
// take it again before any other thread woke up. try_lock() is for senders, who never wait: it
// fails while somebody has the lock or stands in line.
//
// A thread that sleeps with the lock looks at wanted() first, and is woken by whoever
// joins the line. Any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "runtime/sleeper.h"

namespace orzatty::runtime {

class PumpLock {
 public:
  // `sleeper` wakes whoever sleeps with the lock; it must outlive the lock.
  explicit PumpLock(Sleeper& sleeper) : sleeper_(sleeper) {}
  PumpLock(const PumpLock&) = delete;
  PumpLock& operator=(const PumpLock&) = delete;

  void lock();
  [[nodiscard]] bool try_lock();
  void unlock();

  // Somebody stands in line.
  [[nodiscard]] bool wanted() const { return waiting_.load(std::memory_order_relaxed) > 0; }

 private:
  Sleeper& sleeper_;
  std::mutex mutex_;  // of the line, never held while anybody pumps
  std::condition_variable served_;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t serving_ = 0;  // equal to next_ticket_ while nobody has the lock
  std::atomic<std::uint32_t> waiting_{0};
};

}  // namespace orzatty::runtime
