#include "hub/peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orzatty::hub {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

// A hundred channels, and a peer that reads all of them by one subscription.
class ReadersOfAPeer : public testing::Test {
 protected:
  ReadersOfAPeer() {
    for (std::uint64_t i = 0; i < 100; ++i) make_channel(i);
    for (const auto& channel : channels_) peer_.add_reader(wide_, *channel, Offset(0));
  }
  Channel& make_channel(std::uint64_t number) {
    return *channels_.emplace_back(std::make_unique<Channel>(
        *ChannelName::parse("room." + std::to_string(number)), ChannelEpoch(number),
        ChannelConfig{}, Limits{}, pool_, traffic_));
  }
  Delivery& subscribe(std::uint64_t id) {
    return peer_.add_delivery(SubscriptionId(id), *ChannelPattern::parse("room.*"));
  }
  // Everything that a question about the channel looks at.
  std::vector<const ChannelReader*> readers_of(std::uint64_t channel) {
    std::vector<const ChannelReader*> readers;
    const auto [begin, end] = peer_.readers_of(ChannelEpoch(channel));
    for (auto at = begin; at != end; ++at) readers.push_back(at->second);
    return readers;
  }

  base::SegmentPool pool_{8 * 1024 * 1024, 0};
  ChannelTraffic traffic_;
  std::vector<std::unique_ptr<Channel>> channels_;
  Peer peer_{base::SlabKey{0, 1}, Limits{}, 1, Instant{}};
  Delivery& wide_ = subscribe(1);
};

TEST_F(ReadersOfAPeer, AreThoseOfTheChannelAloneHoweverManyOthersItReads) {
  EXPECT_THAT(readers_of(42), UnorderedElementsAre(wide_.readers()[42].get()));
  EXPECT_THAT(readers_of(100), IsEmpty());
}

TEST_F(ReadersOfAPeer, ComeAndGoWithItsSubscriptionsAlsoOnceSomebodyAsked) {
  ASSERT_EQ(readers_of(42).size(), 1U);

  peer_.add_reader(wide_, make_channel(100), Offset(0));
  EXPECT_THAT(readers_of(100), UnorderedElementsAre(wide_.readers()[100].get()));

  Delivery& second = subscribe(2);
  peer_.add_reader(second, *channels_[42], Offset(0));
  EXPECT_THAT(readers_of(42),
              UnorderedElementsAre(wide_.readers()[42].get(), second.readers()[0].get()));

  peer_.remove_delivery(SubscriptionId(1));
  EXPECT_THAT(readers_of(42), UnorderedElementsAre(second.readers()[0].get()));
  EXPECT_THAT(readers_of(41), IsEmpty());
}

}  // namespace
}  // namespace orzatty::hub
