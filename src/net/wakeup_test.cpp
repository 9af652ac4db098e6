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

// Both sides at the same moment, again and again: the sleeper must see the condition, or the waker
// the flag. It can find a missing barrier only by luck (tried on x86 without: half of the runs), so
// the reasoning in wakeup.h is what counts.
TEST_P(WakeupOfEachOrder, NeverLetsBothSidesMissEachOther) {
  constexpr std::uint32_t round_count = 20'000;
  alignas(64) std::atomic<std::uint32_t> started{0};
  alignas(64) std::atomic<std::uint32_t> condition{0};
  alignas(64) std::atomic<std::uint32_t> finished{0};
  const auto await = [](const std::atomic<std::uint32_t>& number, std::uint32_t value) {
    for (int i = 1; number.load(std::memory_order_acquire) != value; ++i) {
      if (i % 1'000 == 0) std::this_thread::yield();  // There may be one core only.
    }
  };
  std::thread waker([&] {
    for (std::uint32_t round = 1; round <= round_count; ++round) {
      await(started, round);
      condition.store(round, std::memory_order_release);
      wakeup_->wake();
      finished.store(round, std::memory_order_release);
    }
  });

  std::uint32_t missed_count = 0;
  for (std::uint32_t round = 1; round <= round_count; ++round) {
    started.store(round, std::memory_order_release);
    // The waker starts as late as the news travels between cores: each delay is tried.
    for (std::uint32_t i = 0; i < round % 512; ++i)
      std::atomic_signal_fence(std::memory_order_seq_cst);
    wakeup_->begin_sleep();
    const bool seen = condition.load(std::memory_order_acquire) == round;
    await(finished, round);
    if (!seen && !is_woken_already()) ++missed_count;
    wakeup_->end_sleep();
  }
  waker.join();

  EXPECT_EQ(missed_count, 0U);
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
