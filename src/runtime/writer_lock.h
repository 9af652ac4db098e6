// The lock of a writer that threads share. A thread may take it again while it has it: a handler that
// it runs may send too. Who waits for it may give up. (Not std::recursive_timed_mutex: the thread
// sanitizer of g++ 12 does not know the function that it waits by.) Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "orzatty/time.h"

namespace orzatty::runtime {

class WriterLock {
 public:
  WriterLock() = default;
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

  void lock();
  [[nodiscard]] bool try_lock() { return try_lock_for(Duration::zero()); }
  [[nodiscard]] bool try_lock_for(Duration patience);
  void unlock();

 private:
  [[nodiscard]] bool may_take() const {
    return depth_ == 0 || owner_ == std::this_thread::get_id();
  }
  void take();

  std::mutex mutex_;  // never held for long
  std::condition_variable freed_;
  std::thread::id owner_;
  std::uint32_t depth_ = 0;  // how often its owner has it
};

}  // namespace orzatty::runtime
