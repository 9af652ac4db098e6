// A subscriber behind a slow path, by the policy of its channel.

#include "sim/scenarios/scenario.h"

namespace orzatty::sim {
namespace {

using testing::Each;
using testing::Field;
using testing::IsEmpty;
using testing::Not;

class SlowSubscriber : public Simulation {
 protected:
  // Alice sends 400 kB in a second to bob, who gets 20 kB of it, and to carol, who gets all.
  void a_fast_and_a_slow_one_read(SlowPolicy policy) {
    the_room_keeps({.count = 100, .bytes = 0, .age = 0s}, policy);
    limits().message_size_max = limits().stream_window = 16 * 1024;
    limits().connection_window = 16 * 1024;
    bob_ = somebody("bob", {.delay = 20ms, .loss = 0, .rate = 20'000});
    carol_ = somebody("carol");
    bob_->subscribes("room");
    carol_->subscribes("room");
    run_for(2s);
    somebody("alice").publishes_large(800, 1000, "room");
    everything_comes_to_rest(200s);
  }
  [[nodiscard]] std::uint64_t missed_by_bob() const { return bob_->missed_count("room"); }

  std::optional<Person> bob_;
  std::optional<Person> carol_;
};

TEST_F(SlowSubscriber, ThatIsWaitedForSeesEverything) {
  a_fast_and_a_slow_one_read(SlowPolicy::kWait);

  EXPECT_EQ(bob_->received("room").size(), 800U);
  EXPECT_THAT(bob_->missed("room"), IsEmpty());
}

TEST_F(SlowSubscriber, OfADroppingChannelIsToldWhatItMissed) {
  a_fast_and_a_slow_one_read(SlowPolicy::kDropOldest);

  EXPECT_THAT(bob_->missed("room"), Not(IsEmpty()));
  EXPECT_THAT(bob_->missed("room"), Each(Field(&Gap::reason, GapReason::kSlow)));
  EXPECT_EQ(bob_->received("room").size() + missed_by_bob(), 800U);
  EXPECT_EQ(carol_->received("room").size(), 800U);
}

TEST_F(SlowSubscriber, OfAChannelOfLatestValuesSeesTheLastOne) {
  a_fast_and_a_slow_one_read(SlowPolicy::kLatest);

  ASSERT_THAT(bob_->missed("room"), Not(IsEmpty()));
  EXPECT_EQ(bob_->received("room").back(), log("room").back());
  EXPECT_EQ(bob_->received("room").size() + missed_by_bob(), 800U);
}

TEST_F(SlowSubscriber, OfADisconnectingChannelResumesAfterAGap) {
  a_fast_and_a_slow_one_read(SlowPolicy::kDisconnect);

  EXPECT_THAT(bob_->missed("room"), Each(Field(&Gap::reason, GapReason::kRetention)));
  EXPECT_EQ(bob_->received("room").size() + missed_by_bob(), 800U);
  EXPECT_EQ(carol_->received("room").size(), 800U);
}

}  // namespace
}  // namespace orzatty::sim
