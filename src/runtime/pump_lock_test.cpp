#include "runtime/pump_lock.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace orzatty::runtime {
namespace {

using namespace std::chrono_literals;

class PumpLockTest : public testing::Test {
 protected:
  void wait_until_wanted() const {
    while (!lock.wanted()) std::this_thread::yield();
  }

  std::unique_ptr<Sleeper> sleeper = *Sleeper::open();
  PumpLock lock{*sleeper};
};

TEST_F(PumpLockTest, IsTriedInVainWhileSomebodyHasIt) {
  ASSERT_TRUE(lock.try_lock());

  std::thread([this] { EXPECT_FALSE(lock.try_lock()); }).join();

  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST_F(PumpLockTest, GoesToWhoWaitedBeforeItsHolderGetsItAgain) {
  std::vector<int> order;
  lock.lock();
  std::thread other([&] {
    lock.lock();
    order.push_back(1);
    lock.unlock();
  });
  wait_until_wanted();

  lock.unlock();
  lock.lock();
  order.push_back(2);
  lock.unlock();
  other.join();

  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST_F(PumpLockTest, WhoJoinsTheLineWakesAHolderThatSleeps) {
  lock.lock();
  std::thread other([&] {
    lock.lock();
    lock.unlock();
  });

  while (!lock.wanted()) {
    sleeper->begin();
    if (!lock.wanted()) sleeper->wait(std::nullopt);  // for ever, if nobody rang
    sleeper->end();
  }

  lock.unlock();
  other.join();
  EXPECT_FALSE(lock.wanted());
}

}  // namespace
}  // namespace orzatty::runtime
