#include "hub/producers.h"

#include <gtest/gtest.h>

namespace orzatty::hub {
namespace {

wire::Publish publish_of(std::uint32_t number, std::uint64_t epoch = 0, std::uint64_t next = 0) {
  ProducerId id;
  for (std::size_t i = 0; i < 4; ++i) id.bytes[i] = static_cast<std::byte>(number >> (8 * i));
  return {.publication = {},
          .producer = id,
          .epoch = ProducerEpoch(epoch),
          .next = Sequence(next),
          .channel = ChannelName::of(1)};
}

base::ProducerNumber join(Producers& producers, const wire::Publish& publish) {
  return *producers.join(publish, "alice");
}

TEST(Producers, KnowAProducerThatComesBack) {
  base::SegmentPool pool(64 * 1024 * 1024, 0);
  Producers producers(pool);
  const base::ProducerNumber number = join(producers, publish_of(1));
  producers[number].known.advance(Sequence(7));
  producers.leave(number);

  const base::ProducerNumber again = join(producers, publish_of(1, 0, 7));

  EXPECT_EQ(again, number);
  EXPECT_EQ(producers[again].known.next(), Sequence(7));
}

// spec: PUBLISH-1
TEST(Producers, RefuseAKnownOneThatLeavesOutSequences) {
  base::SegmentPool pool(64 * 1024 * 1024, 0);
  Producers producers(pool);
  const base::ProducerNumber number = join(producers, publish_of(1));
  producers[number].known.advance(Sequence(7));

  EXPECT_TRUE(producers.join(publish_of(1, 0, 7), "alice"));
  const auto refused = producers.join(publish_of(1, 0, 8), "alice");

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kSequenceInvalid);
}

// spec: PUBLISH-2, PUBLISH-3
TEST(Producers, CountTheSequencesOfEachEpochOnTheirOwnAndFenceTheOlder) {
  base::SegmentPool pool(64 * 1024 * 1024, 0);
  Producers producers(pool);
  const base::ProducerNumber older = join(producers, publish_of(1, 1));
  producers[older].known.advance(Sequence(7));

  const auto newer = producers.join(publish_of(1, 2, 0), "alice");

  ASSERT_TRUE(newer);
  EXPECT_EQ(producers[*newer].known.next(), Sequence(0));
  EXPECT_TRUE(producers[older].fenced);
  EXPECT_FALSE(producers[*newer].fenced);
  const auto refused = producers.join(publish_of(1, 1, 7), "alice");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kFenced);
}

TEST(Producers, OfDifferentIdentitiesAreDifferent) {
  base::SegmentPool pool(64 * 1024 * 1024, 0);
  Producers producers(pool);
  const auto alice = producers.join(publish_of(1, 5), "alice");
  const auto mallory = producers.join(publish_of(1, 9), "mallory");

  ASSERT_TRUE(alice && mallory);
  EXPECT_NE(*alice, *mallory);
  EXPECT_FALSE(producers[*mallory].fenced);
  EXPECT_FALSE(producers[*alice].fenced);
}

TEST(Producers, ThatAreIdleAreForgottenLongestFirstWhenThereAreTooMany) {
  base::SegmentPool pool(64 * 1024 * 1024, 0);
  Producers producers(pool);
  for (std::uint32_t i = 0; i <= Producers::kIdleMax; ++i) {
    const base::ProducerNumber number = join(producers, publish_of(i));
    producers[number].known.advance(Sequence(5));
    producers.leave(number);
  }

  EXPECT_EQ(producers.size(), Producers::kIdleMax);
  EXPECT_EQ(producers[join(producers, publish_of(1))].known.next(), Sequence(5)) << "still known";
  EXPECT_EQ(producers[join(producers, publish_of(0))].known.next(), Sequence(0)) << "forgotten";
}

// It may send again what it was not told of: it must not be stored twice because others fill the
// hub. spec: DATAGRAM-4
TEST(Producers, OfDatagramsComeBackBehindThoseThatWereLostOnTheirWay) {
  base::SegmentPool pool(64 * 1024 * 1024, 0);
  Producers producers(pool);
  wire::Publish publish = publish_of(1);
  publish.mode = DeliveryMode::kDatagram;
  const base::ProducerNumber number = join(producers, publish);
  producers[number].known.advance(Sequence(5));
  producers.leave(number);
  publish.next = Sequence(9);

  const auto again = producers.join(publish, "alice");

  ASSERT_TRUE(again);
  EXPECT_EQ(producers[*again].known.next(), Sequence(9));
  EXPECT_TRUE(producers[*again].lossy);
}

TEST(Producers, ThatJustLeftIsRememberedInPlaceOfThoseThatLeftBeforeWhenThereIsNoMemory) {
  base::SegmentPool pool(64 * 1024 * 1024, 0);
  Producers producers(pool);
  std::size_t left = 0;
  for (std::uint32_t i = 0; i < 4; ++i) {
    const base::ProducerNumber number = join(producers, publish_of(i));
    producers[number].known.advance(Sequence(5));
    if (i == 3) left = pool.room();
    ASSERT_TRUE(pool.charge(left));
    producers.leave(number);
  }
  pool.refund(left);

  EXPECT_EQ(producers[join(producers, publish_of(3, 0, 5))].known.next(), Sequence(5));
  EXPECT_EQ(producers.find(publish_of(0).producer, "alice"), nullptr) << "idle for longest";
}

TEST(Producers, WithMessagesOrAPublicationAreNeverForgotten) {
  base::SegmentPool pool(64 * 1024 * 1024, 0);
  Producers producers(pool);
  const base::ProducerNumber storing = join(producers, publish_of(1));
  ASSERT_TRUE(producers.make_room(storing));
  producers.run_added(storing, 0, base::RunNumber(0));
  producers.leave(storing);
  const base::ProducerNumber open = join(producers, publish_of(2));
  for (const base::ProducerNumber number : {storing, open}) {
    producers[number].known.advance(Sequence(5));
  }

  for (std::uint32_t i = 3; i < 3 * Producers::kIdleMax; ++i) {
    producers.leave(join(producers, publish_of(i)));
  }

  EXPECT_EQ(producers[join(producers, publish_of(1, 0, 5))].known.next(), Sequence(5));
  EXPECT_EQ(producers[join(producers, publish_of(2, 0, 5))].known.next(), Sequence(5));
  EXPECT_LE(producers.size(), Producers::kIdleMax + 2);
}

TEST(Producers, GiveANumberAgainButNeverASerial) {
  base::SegmentPool pool(64 * 1024 * 1024, 0);
  Producers producers(pool);
  const base::ProducerNumber first = join(producers, publish_of(0));
  const std::uint64_t serial = producers[first].serial;
  producers.leave(first);
  std::uint64_t greatest = serial;
  for (std::uint32_t i = 1; i < 2 * Producers::kIdleMax; ++i) {
    const base::ProducerNumber number = join(producers, publish_of(i));
    EXPECT_GT(producers[number].serial, greatest);
    greatest = producers[number].serial;
    producers.leave(number);
  }
  EXPECT_LE(producers.size(), Producers::kIdleMax);
}

}  // namespace
}  // namespace orzatty::hub
