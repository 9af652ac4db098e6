#include "net/wakeup.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "net/clock.h"
#include "net/poller.h"

namespace orzatty::net {
namespace {

using std::chrono::seconds;

class WakeupOfEachOrder : public ::testing::TestWithParam<WakeupOrder> {
 protected:
  void SetUp() override {
    auto wakeup = Wakeup::open(GetParam());
    ASSERT_TRUE(wakeup);
    wakeup_ = std::move(*wakeup);
    ASSERT_TRUE(poller_ && poller_->add(wakeup_->fd(), 1, Interest::kRead));
  }
  // Whether somebody wakes us; a lost wake-up fails after a while instead of hanging the test.
  bool is_woken() { return !poller_->wait(now() + seconds(20)).empty(); }
  bool is_woken_already() { return !poller_->wait(now()).empty(); }

  std::unique_ptr<Wakeup> wakeup_;
  std::expected<Poller, Error> poller_ = Poller::open();
};

TEST_P(WakeupOfEachOrder, WakesASleeper) {
  wakeup_->begin_sleep();
  std::thread waker([this] { wakeup_->wake(); });

  EXPECT_TRUE(is_woken());

  wakeup_->end_sleep();
  waker.join();
}

TEST_P(WakeupOfEachOrder, CostsNothingWhenNobodySleeps) {
  wakeup_->wake();

  wakeup_->begin_sleep();
  EXPECT_FALSE(is_woken_already());
  wakeup_->end_sleep();
}

TEST_P(WakeupOfEachOrder, IsEmptyAgainAfterManyWokeIt) {
  for (int round = 0; round < 3; ++round) {
    wakeup_->begin_sleep();
    for (int i = 0; i < 5; ++i) wakeup_->wake();
    EXPECT_TRUE(is_woken_already());
    wakeup_->end_sleep();

    wakeup_->begin_sleep();
    EXPECT_FALSE(is_woken_already());
    wakeup_->end_sleep();
  }
}

// Each number is published once and answered before the next, so every one finds the other thread
// awake, falling asleep or asleep: a single lost wake-up stops the exchange.
TEST_P(WakeupOfEachOrder, LosesNoWakeUpInTwentyThousandExchanges) {
  constexpr std::uint32_t count = 20'000;
  std::atomic<std::uint32_t> asked{0};
  std::atomic<std::uint32_t> answered{0};
  std::atomic<bool> lost{false};

  std::thread asker([&] {
    for (std::uint32_t number = 1; number <= count && !lost; ++number) {
      asked.store(number, std::memory_order_release);
      wakeup_->wake();
      while (answered.load(std::memory_order_acquire) != number && !lost) {
        std::this_thread::yield();
      }
    }
  });
  std::uint32_t seen = 0;
  while (seen < count && !lost) {
    wakeup_->begin_sleep();
    if (asked.load(std::memory_order_acquire) == seen && !is_woken()) lost = true;
    wakeup_->end_sleep();
    seen = asked.load(std::memory_order_acquire);
    answered.store(seen, std::memory_order_release);
  }
  asker.join();

  EXPECT_FALSE(lost);
  EXPECT_EQ(seen, count);
}

TEST_P(WakeupOfEachOrder, LosesNoWakeUpOfThreeWakersAtOnce) {
  constexpr std::uint64_t count_each = 20'000;
  std::atomic<std::uint64_t> published{0};
  std::vector<std::thread> wakers;
  for (int i = 0; i < 3; ++i) {
    wakers.emplace_back([&] {
      for (std::uint64_t n = 0; n < count_each; ++n) {
        published.fetch_add(1, std::memory_order_release);
        wakeup_->wake();
      }
    });
  }

  bool lost = false;
  std::uint64_t seen = 0;
  while (seen < 3 * count_each && !lost) {
    wakeup_->begin_sleep();
    if (published.load(std::memory_order_acquire) == seen) lost = !is_woken();
    wakeup_->end_sleep();
    seen = published.load(std::memory_order_acquire);
  }
  for (std::thread& waker : wakers) waker.join();

  EXPECT_FALSE(lost);
  EXPECT_EQ(seen, 3 * count_each);
}

INSTANTIATE_TEST_SUITE_P(Wakeup, WakeupOfEachOrder,
                         ::testing::Values(WakeupOrder::kSleeperPays, WakeupOrder::kBothPay),
                         [](const auto& parameter) {
                           return parameter.param == WakeupOrder::kSleeperPays ? "SleeperPays"
                                                                               : "BothPay";
                         });

}  // namespace
}  // namespace orzatty::net
