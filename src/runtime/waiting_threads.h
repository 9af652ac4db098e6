// How many threads wait for something with the pump of a client. While there is one it takes care
// of the pump, and the backup thread may sleep. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace orzatty::runtime {

class WaitingThreads {
 public:
  // For as long as a thread waits.
  class Place {
   public:
    explicit Place(WaitingThreads& threads) : threads_(threads) { threads_.count_.fetch_add(1); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    // Costs nothing more than counting while nobody sleeps for it.
    ~Place() {
      if (threads_.count_.fetch_sub(1) == 1) threads_.count_.notify_all();
    }

   private:
    WaitingThreads& threads_;
  };

  // Sleeps while there is one.
  void wait_until_none() const {
    for (auto count = count_.load(); count > 0; count = count_.load()) count_.wait(count);
  }

 private:
  std::atomic<std::uint32_t> count_{0};
};

}  // namespace orzatty::runtime
