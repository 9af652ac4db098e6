#include "runtime/writer_lock.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace orzatty::runtime {
namespace {

using namespace std::chrono_literals;

TEST(WriterLock, IsTakenAgainByItsThreadAndByNoOtherBeforeItWasGivenBackAsOften) {
  WriterLock lock;
  lock.lock();
  ASSERT_TRUE(lock.try_lock());
  const auto taken_elsewhere = [&] {
    bool taken = false;
    std::thread([&] {
      taken = lock.try_lock();
      if (taken) lock.unlock();
    }).join();
    return taken;
  };

  EXPECT_FALSE(taken_elsewhere());
  lock.unlock();
  EXPECT_FALSE(taken_elsewhere());
  lock.unlock();
  EXPECT_TRUE(taken_elsewhere());
}

TEST(WriterLock, IsWaitedForNoLongerThanSaid) {
  WriterLock lock;
  lock.lock();

  std::thread([&] { EXPECT_FALSE(lock.try_lock_for(1ms)); }).join();

  lock.unlock();
}

TEST(WriterLock, LetsOneThreadInAtATime) {
  WriterLock lock;
  int count = 0;  // not atomic: the lock has to do
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 1000; ++round) {
        if (i % 2 == 0) {
          lock.lock();
        } else {
          while (!lock.try_lock_for(1ms)) continue;
        }
        ++count;
        lock.unlock();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(count, 4000);
}

}  // namespace
}  // namespace orzatty::runtime
