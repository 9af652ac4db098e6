// Wakes a sleeping thread from any other, for almost nothing while it is awake.
//
// The protocol. A condition is some atomic of the user's ("there is more in the log").
//
//   a waker                          the sleeper
//   1. makes the condition true      a. begin_sleep(): sets the flag, then the barrier
//   2. wake(): reads the flag,       b. reads the condition: true -> skips c
//      writes the eventfd if set     c. sleeps on fd()
//                                    d. end_sleep(): clears the flag, empties the eventfd
//
// No wake-up is lost if not both "2 missed a" and "b missed 1" can happen. That takes a full
// barrier between the store and the load on both sides. Wakers send millions of messages a second,
// and sleepers sleep rarely, so the sleeper pays for both: membarrier() makes every running thread
// of the process pass a full barrier, and wake() is one relaxed load. A waker whose 1 and 2 both
// lie before that barrier is seen by b; otherwise its 2 lies after it, and sees the flag. Where the
// kernel has no membarrier, wake() reads the flag by a read-modify-write instead: the two on the
// flag have an order, and whichever comes second sees what happened before the other.
//
// Of several wakers exactly one wins the flag and writes. Spurious wake-ups happen; lost ones
// don't.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>

#include "net/file_descriptor.h"
#include "orzatty/error.h"

namespace orzatty::net {

// Who pays for the order of things.
enum class WakeupOrder : std::uint8_t {
  kSleeperPays,  // membarrier
  kBothPay,      // read-modify-write
};

class Wakeup {
 public:
  // On the heap, because threads refer to it. It must outlive every call of wake(). Without
  // membarrier both pay, whatever `order` says.
  static std::expected<std::unique_ptr<Wakeup>, Error> open(WakeupOrder order = best_order());
  // Asks the kernel once per process.
  static WakeupOrder best_order();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  // Any thread, after it made the condition true.
  void wake() {
    // Keeps the compiler from moving the load before the caller's store; costs no instruction.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (order_ == WakeupOrder::kSleeperPays) [[likely]] {
      if (!sleeping_.load(std::memory_order_relaxed)) [[likely]]
        return;
    } else {
      if (sleeping_.fetch_or(0, std::memory_order_seq_cst) == 0) return;
    }
    wake_sleeper();
  }

  // The sleeper's thread.
  void begin_sleep();
  void end_sleep();
  [[nodiscard]] int fd() const { return event_.number(); }  // readable when somebody woke us

 private:
  Wakeup(FileDescriptor event, WakeupOrder order) : order_(order), event_(std::move(event)) {}
  void wake_sleeper();

  // Its own cache line: written when sleeping starts and ends, read by all wakers.
  alignas(64) std::atomic<std::uint32_t> sleeping_{0};
  WakeupOrder order_;
  FileDescriptor event_;
  std::uint64_t writes_owed_ = 0;  // sleeper's: by wakers that won the flag, and not yet read
};

}  // namespace orzatty::net
