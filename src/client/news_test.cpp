// Many publications of one client, of which few have something to say.
#include <gtest/gtest.h>

#include <vector>

#include "base/newsline.h"
#include "client/client_for_test.h"
#include "client/publications.h"

namespace orzatty::client {
namespace {

class ManyPublications : public test::ClientTest {
 protected:
  ManyPublications() {
    for (std::size_t i = 0; i < kCount; ++i) ids_.push_back(engine_->publish(ChannelName::of(i)));
    connect();
    now_ += Publications::kLookEvery;
    talk();  // all were looked at
  }

  static constexpr std::size_t kCount = 4 * Publications::kFewCount;
  std::vector<PublicationId> ids_;
};

TEST_F(ManyPublications, AreNewsUntilTheNextFlush) {
  EXPECT_FALSE(engine_->has_news());
  append(ids_[40], 1);
  EXPECT_TRUE(engine_->has_news());
  EXPECT_TRUE(engine_->has_any_news());
  EXPECT_FALSE(engine_->has_any_news());  // it is known now, and will be sent
  talk();
  EXPECT_EQ(settled(Fate::kAccepted).size(), 1U);
}

TEST_F(ManyPublications, AreServedWhicheverOfThemAppended) {
  for (std::uint64_t round = 1; round <= 3; ++round) {
    for (const PublicationId id : ids_) append(id, 1);
    talk();
    EXPECT_EQ(settled(Fate::kAccepted).size(), round * kCount);
  }
  EXPECT_TRUE(engine_->settled());
}

TEST_F(ManyPublications, GoOnAfterABrokenConnectionWithoutNews) {
  server_.answering = false;
  append(ids_[3], 2);
  append(ids_[50], 1);
  talk();
  lose();
  wait_for_retry();
  server_.answering = true;
  connect();
  EXPECT_EQ(settled(Fate::kAccepted).size(), 3U);
}

TEST_F(ManyPublications, TellWhatExpiresOfOneWhileTheOthersAreSilent) {
  lose();
  append_timed(ids_[60], 1, std::chrono::milliseconds(2));
  ASSERT_TRUE(engine_->next_timeout().has_value());
  now_ += std::chrono::milliseconds(2) + session::Outbox::kDeadlineStep;
  engine_->handle_timeout(now_);
  drain();
  EXPECT_EQ(settled(Fate::kExpired).size(), 1U);
}

// As if a writer had not seen that its news were taken, and so told nothing.
TEST_F(ManyPublications, AreFoundBeforeSleepingThoughTheyToldNothing) {
  base::Newsline elsewhere;
  engine_->outbox(ids_[40]).tell_news(elsewhere, 0);
  append(ids_[40], 1);
  EXPECT_FALSE(engine_->has_news());
  EXPECT_TRUE(engine_->has_any_news());
  talk();
  EXPECT_EQ(settled(Fate::kAccepted).size(), 1U);
}

TEST_F(ManyPublications, AreFoundAfterAWhileThoughTheyToldNothingAndNobodySleeps) {
  base::Newsline elsewhere;
  engine_->outbox(ids_[40]).tell_news(elsewhere, 0);
  append(ids_[40], 1);
  now_ += Publications::kLookEvery;
  talk();
  EXPECT_EQ(settled(Fate::kAccepted).size(), 1U);
}

}  // namespace
}  // namespace orzatty::client
