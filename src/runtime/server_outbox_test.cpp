#include "runtime/server_outbox.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace orzatty::runtime {
namespace {

using Pushed = ServerOutbox::Pushed;

ServerOutbox::Item item(std::string_view channel, std::string_view text) {
  return {*ChannelName::parse(channel), MessageType::kRaw, copy_of(bytes_of(text))};
}

// A hub of which some channels are full.
class ServerOutboxTest : public testing::Test {
 protected:
  void push(std::string_view channel, std::string_view text) {
    ASSERT_EQ(outbox_.push(item(channel, text)), Pushed::kQueued);
  }
  // One turn.
  bool store() {
    return outbox_.store([&](const ServerOutbox::Item& given) {
      ++tries_;
      if (full_.contains(given.channel.text())) return ErrorCode::kOverloaded;
      stored_.push_back(std::string(given.channel.text()) + ":" +
                        std::string(text_of(given.payload)));
      return ErrorCode::kNone;
    });
  }

  ServerOutbox outbox_;
  std::set<std::string, std::less<>> full_;
  std::vector<std::string> stored_;
  std::size_t tries_ = 0;
};

TEST_F(ServerOutboxTest, StoresInOrder) {
  for (const std::string_view text : {"1", "2", "3"}) push("a", text);
  EXPECT_TRUE(outbox_.has_new());

  EXPECT_FALSE(store());

  EXPECT_EQ(stored_, (std::vector<std::string>{"a:1", "a:2", "a:3"}));
  EXPECT_TRUE(outbox_.empty());
}

TEST_F(ServerOutboxTest, AFullChannelHoldsUpNoOtherAndKeepsItsOwnOrder) {
  full_ = {"full"};
  push("full", "1");
  push("a", "1");
  push("full", "2");
  push("a", "2");

  EXPECT_FALSE(store());
  EXPECT_EQ(stored_, (std::vector<std::string>{"a:1", "a:2"}));
  EXPECT_FALSE(outbox_.empty());
  full_.clear();
  push("full", "3");
  EXPECT_FALSE(store());
  EXPECT_EQ(stored_.size(), 2U);  // nobody said that there is room
  outbox_.retry();
  EXPECT_FALSE(store());

  EXPECT_EQ(stored_, (std::vector<std::string>{"a:1", "a:2", "full:1", "full:2", "full:3"}));
  EXPECT_TRUE(outbox_.empty());
}

TEST_F(ServerOutboxTest, ATurnIsBoundedByCountAndTheRestFollowsInTheNext) {
  for (std::size_t i = 0; i < ServerOutbox::kTurnCount + 1; ++i) push("a", "x");

  EXPECT_TRUE(store());
  EXPECT_EQ(stored_.size(), ServerOutbox::kTurnCount);
  EXPECT_FALSE(store());
  EXPECT_EQ(stored_.size(), ServerOutbox::kTurnCount + 1);
}

TEST_F(ServerOutboxTest, ATurnIsBoundedByBytes) {
  const std::string half(ServerOutbox::kTurnBytes / 2, 'x');
  for (int i = 0; i < 3; ++i) push("a", half);

  EXPECT_TRUE(store());
  EXPECT_EQ(stored_.size(), 2U);
  EXPECT_FALSE(store());
  EXPECT_EQ(stored_.size(), 3U);
}

TEST_F(ServerOutboxTest, OfManyFullChannelsEachIsTriedOnceForEachRetry) {
  constexpr std::size_t kCount = 3 * ServerOutbox::kTurnCount;
  for (std::size_t i = 0; i < kCount; ++i) {
    push(std::to_string(i), "x");
    full_.insert(std::to_string(i));
  }
  while (store()) {
  }
  ASSERT_EQ(tries_, kCount);

  tries_ = 0;
  outbox_.retry();
  EXPECT_TRUE(store());
  EXPECT_EQ(tries_, ServerOutbox::kTurnCount);
  push("free", "x");
  while (store()) {
  }

  EXPECT_EQ(tries_, kCount + 1);
  EXPECT_EQ(stored_, std::vector<std::string>{"free:x"});
  full_.clear();
  outbox_.retry();
  while (store()) {
  }
  EXPECT_EQ(stored_.size(), kCount + 1);
  EXPECT_TRUE(outbox_.empty());
}

TEST_F(ServerOutboxTest, AParkedChannelWhoseTurnIsOverGoesOnInTheNext) {
  full_ = {"a"};
  constexpr std::size_t kCount = ServerOutbox::kTurnCount + 10;
  for (std::size_t i = 0; i < kCount; ++i) push("a", "x");
  while (store()) {
  }
  full_.clear();
  outbox_.retry();

  EXPECT_TRUE(store());
  EXPECT_EQ(stored_.size(), ServerOutbox::kTurnCount);
  EXPECT_FALSE(store());
  EXPECT_EQ(stored_.size(), kCount);
}

TEST_F(ServerOutboxTest, ItsBoundCountsWhatAnEmptyMessageCosts) {
  const std::size_t each = sizeof(ServerOutbox::Item) + 1;
  const std::size_t fit = ServerOutbox::kSizeMax / each;
  for (std::size_t i = 0; i < fit; ++i) push("a", "");

  EXPECT_EQ(outbox_.push(item("a", "")), Pushed::kFull);
  static_cast<void>(store());
  EXPECT_EQ(outbox_.push(item("a", "")), Pushed::kQueued);
}

TEST_F(ServerOutboxTest, TakesNothingOnceItIsClosedAndKeepsWhatItHas) {
  full_ = {"full"};
  push("full", "1");
  push("a", "1");
  push("full", "2");

  outbox_.close();

  EXPECT_EQ(outbox_.push(item("a", "2")), Pushed::kClosed);
  EXPECT_EQ(outbox_.waiting().at(*ChannelName::parse("full")), 2U);
  EXPECT_FALSE(store());
  EXPECT_EQ(stored_, std::vector<std::string>{"a:1"});
  EXPECT_EQ(outbox_.waiting().size(), 1U);
  EXPECT_EQ(outbox_.waiting().at(*ChannelName::parse("full")), 2U);
}

}  // namespace
}  // namespace orzatty::runtime
