#include "wire/channel_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/subscribed.h"
#include "wire/test_streams.h"

namespace orzatty::wire {
namespace {

using test::bytes;
using test::Reading;
using test::StreamWriter;
using testing::ElementsAre;

constexpr auto kClient = StreamOpener::kClient;
constexpr auto kServer = StreamOpener::kServer;

// What a stream comes to, the same however it is split.
Reading read(StreamOpener opener, const StreamWriter& stream) {
  const Bytes& all = stream.bytes();
  const Reading whole = test::read_in_parts(opener, all, all.size());
  for (std::size_t split = 0; split <= all.size(); ++split) {
    EXPECT_EQ(test::read_split_at(opener, all, split), whole) << "split at " << split;
  }
  for (const std::size_t part : {1U, 2U, 5U, 100U}) {
    EXPECT_EQ(test::read_in_parts(opener, all, part), whole) << "parts of " << part;
  }
  return whole;
}

ErrorCode fault_of(StreamOpener opener, const StreamWriter& stream) {
  return read(opener, stream).fault;
}

TEST(ChannelStream, APublicationIsReadAsItWasWrittenHoweverItIsSplit) {
  const Reading reading =
      read(kClient, StreamWriter()
                        .publish(10)
                        .run(10, {0, 1, 63, 64})
                        .raw(bytes({0x98, 3, 1, 2, 3}))
                        .add(Skip{Sequence(14), Sequence(20), GapReason::kExpired})
                        .run(20, {300}));

  EXPECT_EQ(reading.fault, ErrorCode::kNone);
  EXPECT_TRUE(reading.at_boundary);
  EXPECT_THAT(reading.lines,
              ElementsAre("item 1", "message 0/0 at 10 nonce 11 size 0",
                          "message 0/0 at 11 nonce 11 size 1", "message 0/0 at 12 nonce 11 size 63",
                          "message 0/0 at 13 nonce 11 size 64", "skip to 20",
                          "message 0/0 at 20 nonce 21 size 300"));
}

// spec: STREAM-5
TEST(ChannelStream, ASubscriptionKeepsAPositionForEachOfItsChannels) {
  const Reading reading =
      read(kServer, StreamWriter()
                        .deliver()
                        .alias(7, 100)
                        .producer(3)
                        .alias(2, 0)
                        .run(100, {5, 5}, 7, 3)
                        .run(0, {1}, 2, 3)
                        .add(GapMark{ChannelAlias(7), Offset(102), Offset(110), GapReason::kSlow})
                        .producer(4)
                        .run(110, {2}, 7, 4)
                        .run(1, {3}, 2, 4));

  EXPECT_EQ(reading.fault, ErrorCode::kNone);
  EXPECT_THAT(
      reading.lines,
      ElementsAre("item 2", "alias 7", "item 5", "alias 2", "message 7/3 at 100 nonce 101 size 5",
                  "message 7/3 at 101 nonce 101 size 5", "message 2/3 at 0 nonce 1 size 1",
                  "gap to 110", "item 5", "message 7/4 at 110 nonce 111 size 2",
                  "message 2/4 at 1 nonce 2 size 3"));
}

// spec: STREAM-5
TEST(ChannelStream, ADirectStreamBeginsWhereItsFirstRunSaysAndGoesOnFromThere) {
  const auto direct = [] { return StreamWriter().add(Direct{test::channel("inbox")}); };
  EXPECT_THAT(read(kServer, direct().run(50, {1}).run(51, {2})).lines,
              ElementsAre("item 3", "message 0/0 at 50 nonce 51 size 1",
                          "message 0/0 at 51 nonce 52 size 2"));
  EXPECT_EQ(fault_of(kServer, direct().run(50, {1}).run(50, {2})), ErrorCode::kSequenceInvalid);
}

// spec: STREAM-5, STREAM-11
TEST(ChannelStream, APassingOneOfAPublicationBeginsAnywhereFromItsPrefaceOn) {
  const auto passing = [](std::uint64_t next) {
    return StreamWriter().add(Publish{.publication = PublicationId(1),
                                      .producer = {},
                                      .epoch = ProducerEpoch(1),
                                      .next = Sequence(next),
                                      .channel = test::channel("a"),
                                      .mode = DeliveryMode::kUnordered,
                                      .passing = true});
  };
  const Skip skip{Sequence(7), Sequence(9), GapReason::kExpired};

  EXPECT_EQ(fault_of(kClient, passing(4).run(4, {1}).run(5, {1})), ErrorCode::kNone);
  EXPECT_EQ(fault_of(kClient, passing(4).run(9, {1}).run(10, {1})), ErrorCode::kNone);
  EXPECT_EQ(fault_of(kClient, passing(4).add(skip).run(9, {1})), ErrorCode::kNone);
  EXPECT_EQ(fault_of(kClient, passing(4).run(3, {1})), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(fault_of(kClient, passing(8).add(skip)), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(fault_of(kClient, passing(4).run(9, {1}).run(11, {1})), ErrorCode::kSequenceInvalid);
}

// spec: STREAM-1
TEST(ChannelStream, ItBeginsWithThePrefaceThatItsOpenerMayUse) {
  EXPECT_EQ(fault_of(kClient, StreamWriter().deliver()), ErrorCode::kStreamUnexpected);
  EXPECT_EQ(fault_of(kServer, StreamWriter().publish()), ErrorCode::kStreamUnexpected);
  EXPECT_EQ(fault_of(kClient, StreamWriter().run(0, {1})), ErrorCode::kStreamUnexpected);
  EXPECT_EQ(fault_of(kClient, StreamWriter().raw(bytes({0x00, 1, 'x'}))),
            ErrorCode::kStreamUnexpected);
  EXPECT_EQ(fault_of(kClient, StreamWriter().add(Subscribed{SubscriptionId(1), 1})),
            ErrorCode::kStreamUnexpected);
  EXPECT_EQ(fault_of(kClient, StreamWriter().raw(bytes({0x98, 0})).publish()), ErrorCode::kNone);
}

// spec: STREAM-2
TEST(ChannelStream, MessagesStandInsideRunsAndControlFramesOutside) {
  EXPECT_EQ(fault_of(kClient, StreamWriter().publish().raw(bytes({0x00, 1, 'x'}))),
            ErrorCode::kFrameUnexpected);
  for (const int head : {0x97, 0x98}) {
    const auto stream = StreamWriter()
                            .publish()
                            .add(wire::Run{.size = 6, .nonce = 1})
                            .raw(bytes({0x00, 1, 'x', head, 1, 2}));
    const Reading reading = read(kClient, stream);
    EXPECT_EQ(reading.fault, ErrorCode::kFrameUnexpected);
    EXPECT_EQ(reading.lines.size(), 2U);  // what stood before is still good
  }
}

// spec: STREAM-3
TEST(ChannelStream, ARunEndsWhereAFrameEnds) {
  const auto run_of = [](std::uint64_t size, const Bytes& frames) {
    return StreamWriter().publish().add(wire::Run{.size = size, .nonce = 1}).raw(frames);
  };
  const Bytes two = bytes({0x00, 1, 'x', 0x00, 2, 'y', 'z'});
  EXPECT_EQ(fault_of(kClient, run_of(7, two)), ErrorCode::kNone);
  EXPECT_EQ(fault_of(kClient, run_of(6, two)), ErrorCode::kFrameTruncated);
  EXPECT_EQ(fault_of(kClient, run_of(5, two)), ErrorCode::kFrameTruncated);
  EXPECT_EQ(fault_of(kClient, run_of(4, two)), ErrorCode::kFrameTruncated);
  EXPECT_EQ(fault_of(kClient, run_of(1, bytes({0x00}))), ErrorCode::kFrameTruncated);
  // Refused on the header: the body of the second frame never arrives.
  EXPECT_EQ(fault_of(kClient, run_of(6, bytes({0x00, 1, 'x', 0x00, 2}))),
            ErrorCode::kFrameTruncated);
  EXPECT_EQ(fault_of(kClient, run_of(3, bytes({0x00, 0x40, 0x40}))), ErrorCode::kFrameTruncated);
}

// spec: STREAM-4
TEST(ChannelStream, ARunOfNoBytesOrOfTooManyIsRefused) {
  const auto run_of = [](std::uint64_t size) {
    return fault_of(kClient, StreamWriter().publish().add(wire::Run{.size = size}));
  };
  EXPECT_EQ(run_of(0), ErrorCode::kRangeEmpty);
  EXPECT_EQ(run_of(1U << 30), ErrorCode::kNone);
  EXPECT_EQ(run_of((1U << 30) + 1), ErrorCode::kFrameTooLarge);
}

// spec: STREAM-5
TEST(ChannelStream, PositionsContinueWhereTheLastOnesEnded) {
  const auto skip = [](std::uint64_t from) {
    return Skip{Sequence(from), Sequence(from + 1), GapReason::kRefused};
  };
  const auto gap = [](std::uint64_t from) {
    return GapMark{ChannelAlias(1), Offset(from), Offset(from + 1), GapReason::kSlow};
  };
  const auto deliver = [] { return StreamWriter().deliver().alias(1, 5).producer(0); };

  EXPECT_EQ(fault_of(kClient, StreamWriter().publish(5).run(4, {1})), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(fault_of(kClient, StreamWriter().publish(5).run(6, {1})), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(fault_of(kClient, StreamWriter().publish().run(0, {1, 1}).run(1, {1})),
            ErrorCode::kSequenceInvalid);
  EXPECT_EQ(fault_of(kClient, StreamWriter().publish(5).add(skip(5)).add(skip(6)).run(7, {1})),
            ErrorCode::kNone);
  EXPECT_EQ(fault_of(kClient, StreamWriter().publish(5).add(skip(6))), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(fault_of(kServer, deliver().run(0, {1}, 1)), ErrorCode::kSequenceInvalid);
  EXPECT_EQ(fault_of(kServer, deliver().add(gap(5)).run(6, {1}, 1)), ErrorCode::kNone);
  EXPECT_EQ(fault_of(kServer, deliver().add(gap(4))), ErrorCode::kSequenceInvalid);
}

// spec: STREAM-5
TEST(ChannelStream, NoPositionPassesTheLargestVarint) {
  EXPECT_EQ(fault_of(kClient, StreamWriter().publish(kVarintMax - 1).run(kVarintMax - 1, {1})),
            ErrorCode::kNone);
  EXPECT_EQ(fault_of(kClient, StreamWriter().publish(kVarintMax).run(kVarintMax, {1})),
            ErrorCode::kSequenceInvalid);
}

// spec: STREAM-6
TEST(ChannelStream, WhatNobodyIntroducedIsUnknown) {
  const GapMark gap{ChannelAlias(2), Offset(0), Offset(1), GapReason::kSlow};
  EXPECT_EQ(fault_of(kServer, StreamWriter().deliver().producer(0).run(0, {1})),
            ErrorCode::kAliasUnknown);
  EXPECT_EQ(fault_of(kServer, StreamWriter().deliver().alias(0, 0).run(0, {1})),
            ErrorCode::kAliasUnknown);
  EXPECT_EQ(fault_of(kServer, StreamWriter().deliver().alias(1, 0).add(gap)),
            ErrorCode::kAliasUnknown);
  EXPECT_EQ(fault_of(kClient, StreamWriter().publish().run(0, {1}, 1, 0)),
            ErrorCode::kAliasUnknown);
  EXPECT_EQ(fault_of(kClient, StreamWriter().publish().run(0, {1}, 0, 1)),
            ErrorCode::kAliasUnknown);
}

// spec: STREAM-7
TEST(ChannelStream, AnAliasIsIntroducedOnce) {
  EXPECT_EQ(fault_of(kServer, StreamWriter().deliver().alias(9, 0).alias(3, 0).alias(9, 0)),
            ErrorCode::kFrameUnexpected);
  EXPECT_EQ(fault_of(kServer, StreamWriter().deliver().producer(0).producer(0)),
            ErrorCode::kFrameUnexpected);
  EXPECT_EQ(fault_of(kServer, StreamWriter().deliver().alias(0, 0).producer(0)), ErrorCode::kNone);
}

// spec: STREAM-7
TEST(ChannelStream, AStreamIntroducesAsManyChannelsAsItMayAndNotOneMore) {
  StreamWriter stream;
  stream.deliver();
  for (std::uint64_t i = 0; i < ChannelStreamReader::kChannelCountMax; ++i) {
    stream.alias(1'000'000 - 3 * i, 0);
  }
  const Bytes& full = stream.bytes();
  EXPECT_EQ(test::read_in_parts(kServer, full, full.size()).fault, ErrorCode::kNone);
  stream.alias(1, 0);
  EXPECT_EQ(test::read_in_parts(kServer, full, full.size()).fault, ErrorCode::kLimitExceeded);
}

// spec: STREAM-8
TEST(ChannelStream, AGapOrSkipOfNothingIsRefused) {
  EXPECT_EQ(fault_of(kClient, StreamWriter().publish(3).add(
                                  Skip{Sequence(3), Sequence(3), GapReason::kExpired})),
            ErrorCode::kRangeEmpty);
  EXPECT_EQ(fault_of(kServer, StreamWriter().deliver().alias(0, 3).add(GapMark{
                                  ChannelAlias(0), Offset(3), Offset(2), GapReason::kSlow})),
            ErrorCode::kRangeEmpty);
}

// spec: CONTROL-3
TEST(ChannelStream, AFrameWhereTheTableDoesNotPlaceItIsUnexpected) {
  const Skip skip{Sequence(0), Sequence(1), GapReason::kSlow};
  const GapMark gap{ChannelAlias(0), Offset(0), Offset(1), GapReason::kSlow};
  const auto direct = [] { return StreamWriter().add(Direct{test::channel("a")}); };
  for (const auto& [opener, stream] : std::vector<std::pair<StreamOpener, StreamWriter>>{
           {kClient, StreamWriter().publish().publish()},
           {kClient, StreamWriter().publish().add(gap)},
           {kClient, StreamWriter().publish().alias(1, 0)},
           {kClient, StreamWriter().publish().producer(1)},
           {kClient, StreamWriter().publish().add(Subscribed{SubscriptionId(0), 1})},
           {kServer, StreamWriter().deliver().deliver()},
           {kServer, StreamWriter().deliver().alias(0, 0).add(skip)},
           {kServer, direct().add(gap)},
           {kServer, direct().add(skip)},
           {kServer, direct().alias(1, 0)}}) {
    EXPECT_EQ(fault_of(opener, stream), ErrorCode::kFrameUnexpected);
  }
}

// spec: FRAME-3, FRAME-8
TEST(ChannelStream, AMessageThatSpansPartsIsValidatedLikeAnyOther) {
  const auto with = [](const Bytes& frames) {
    return StreamWriter().publish().add(wire::Run{.size = frames.size()}).raw(frames);
  };
  EXPECT_EQ(fault_of(kClient, with(bytes({0x02, 2, 0xc3, 0x28}))), ErrorCode::kTextInvalid);
  EXPECT_EQ(fault_of(kClient, with(bytes({0x02, 2, 0xc3, 0xa4}))), ErrorCode::kNone);
  EXPECT_EQ(fault_of(kClient, with(bytes({0x20, 4, 3, 1, 2, 5}))), ErrorCode::kFrameMalformed);
}

// spec: FRAME-2
TEST(ChannelStream, AMessageAboveTheLimitIsRefusedOnItsHeader) {
  const auto header_of = [](std::uint64_t size) {
    std::array<std::byte, 16> header;
    const std::size_t header_size = encode_message_header(header, MessageType::kRaw, size);
    return StreamWriter()
        .publish()
        .add(wire::Run{.size = 1U << 30})
        .raw(BytesView(header).first(header_size));
  };
  EXPECT_EQ(fault_of(kClient, header_of(test::kMessageSizeMax)), ErrorCode::kNone);
  EXPECT_EQ(fault_of(kClient, header_of(test::kMessageSizeMax + 1)), ErrorCode::kFrameTooLarge);
}

// spec: STREAM-10
TEST(ChannelStream, ItMayEndBetweenRunsAndNowhereElse) {
  const StreamWriter stream = StreamWriter().publish();
  const std::size_t preface = stream.bytes().size();
  const Bytes all = StreamWriter(stream).run(0, {5, 5}).raw(bytes({0x98, 2, 1, 2})).bytes();
  const std::size_t extension = all.size() - 4;

  for (std::size_t end = 0; end <= all.size(); ++end) {
    const auto reading = test::read_in_parts(kClient, BytesView(all).first(end), 7);
    const bool expected = end == preface || end == extension || end == all.size();
    EXPECT_EQ(reading.at_boundary, expected) << end;
  }
}

TEST(ChannelStream, ALargeMessageIsHeldOnlyAsFarAsItArrived) {
  StreamWriter stream;
  stream.publish().run(0, {90'000, 3});
  ChannelStreamReader reader(kClient, test::kMessageSizeMax);
  Reading reading;
  std::size_t fed = 0;
  for (std::size_t at = 0; at < stream.bytes().size(); at += 1400) {
    const BytesView rest = BytesView(stream.bytes()).subspan(at);
    const BytesView part = rest.first(std::min<std::size_t>(1400, rest.size()));
    ASSERT_TRUE(test::feed(reader, part, reading));
    fed += part.size();
    EXPECT_LE(reader.held(), fed);
  }
  EXPECT_EQ(reader.held(), 0U);
  EXPECT_EQ(reading.lines.size(), 3U);
  EXPECT_EQ(reading.lines.back(), "message 0/0 at 1 nonce 1 size 3");
}

TEST(ChannelStream, AFaultStays) {
  ChannelStreamReader reader(kClient, test::kMessageSizeMax);
  Reading reading;
  EXPECT_FALSE(test::feed(reader, StreamWriter().deliver().bytes(), reading));
  EXPECT_FALSE(test::feed(reader, StreamWriter().publish().bytes(), reading));
  EXPECT_TRUE(reading.lines.empty());
}

TEST(ChannelStream, MessagesThatAreWholeInTheInputComeInPlaceAndAtOnce) {
  const Bytes stream = StreamWriter().publish().run(0, {10, 20, 30}).bytes();
  ChannelStreamReader reader(kClient, test::kMessageSizeMax);
  reader.feed(stream);
  ASSERT_TRUE(reader.next());  // PUBLISH
  const auto item = reader.next();
  ASSERT_TRUE(item);
  const auto* messages = std::get_if<Messages>(&*item);
  ASSERT_NE(messages, nullptr);
  EXPECT_EQ(messages->count, 3U);
  EXPECT_EQ(messages->bytes.data() + messages->bytes.size(), stream.data() + stream.size());
}

// spec: DATAGRAM-6
TEST(ChannelStream, OfAChannelOfDatagramsTellsGapsAnywhereAndBringsNoMessages) {
  const auto stream = [] {
    return StreamWriter().deliver().alias(0, 10, DeliveryMode::kDatagram).producer(0);
  };
  const auto gap = [](std::uint64_t from, std::uint64_t to) {
    return GapMark{ChannelAlias(0), Offset(from), Offset(to), GapReason::kLost};
  };

  EXPECT_THAT(read(kServer, stream().add(gap(50, 60)).add(gap(12, 13))).lines,
              ElementsAre("item 2", "alias 0", "item 5", "gap to 60", "gap to 13"));
  EXPECT_EQ(fault_of(kServer, stream().run(10, {1})), ErrorCode::kFrameUnexpected);
  EXPECT_EQ(fault_of(kServer, stream().alias(0, 10)), ErrorCode::kFrameUnexpected);
}

}  // namespace
}  // namespace orzatty::wire
