#include "session/send_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "session/scratch.h"

namespace orzatty::session {
namespace {

using namespace std::chrono_literals;

// Sources that never run dry until their bytes are used up.
class Sources final : public Refill {
 public:
  explicit Sources(Scratch& scratch) : scratch_(scratch) {}
  bool offer_datagram(StreamKey stream, SendQueue&, Offer& offer) override {
    if (datagrams[stream] == 0) return false;
    --datagrams[stream];
    offer.datagram = DatagramTag(0);
    return true;
  }
  void refill(StreamKey stream, SendQueue& queue) override {
    ++refills;
    std::size_t& left = bytes[stream];
    const std::size_t size = std::min<std::size_t>(left, 32 * 1024);
    if (size == 0) return;
    ASSERT_TRUE(scratch_.write(Bytes(size), queue));
    left -= size;
  }
  std::map<StreamKey, std::size_t> bytes;
  std::map<StreamKey, std::size_t> datagrams;
  std::size_t refills = 0;

 private:
  Scratch& scratch_;
};

class SendTableTest : public testing::Test {
 protected:
  SendTableTest() { table_.opened(kControlKey); }
  StreamKey open(std::uint8_t priority = kPriorityDefault) {
    const StreamKey key = table_.add(priority);
    EXPECT_EQ(table_.next_to_open(), key);
    table_.opened(key);
    return key;
  }
  static std::uint64_t size_of(const Offer& offer) {
    std::uint64_t size = 0;
    for (const BytesView span : offer.bytes()) size += span.size();
    return size;
  }
  // Takes at most `size_max` of the next offer, and has it acknowledged.
  std::optional<StreamKey> send(std::uint64_t size_max) {
    const auto offer = table_.offer(sources_);
    if (!offer) return std::nullopt;
    const std::uint64_t offered = size_of(*offer);
    const std::uint64_t size = std::min(offered, size_max);
    table_.taken(offer->stream, size, size == offered ? offer->fin : Fin::kNo);
    table_.acked(offer->stream, size);
    return offer->stream;
  }

  Instant now_{1s};
  Scratch scratch_{4 << 20};
  Sources sources_{scratch_};
  SendTable table_;
};

// spec: PRIORITY-1
TEST_F(SendTableTest, ServesHigherPrioritiesFirstAndThoseOfOneInTurns) {
  const StreamKey bulk = open(0);
  const StreamKey first = open(5);
  const StreamKey second = open(5);
  sources_.bytes = {{bulk, 200'000}, {first, 150'000}, {second, 150'000}};
  for (const StreamKey stream : {bulk, first, second}) table_.wake(stream);

  std::vector<StreamKey> order;
  while (const auto stream = send(50'000)) {
    if (order.empty() || order.back() != *stream) order.push_back(*stream);
  }

  EXPECT_EQ(order.back(), bulk);
  EXPECT_EQ(std::ranges::count(order, bulk), 1);
  EXPECT_GE(std::ranges::count(order, first), 2);
  EXPECT_EQ(std::ranges::count(order, first), std::ranges::count(order, second));
}

// spec: PRIORITY-1
TEST_F(SendTableTest, LetsAnUrgentStreamGoBetweenThePacketsOfALargeOne) {
  const StreamKey bulk = open(0);
  const StreamKey urgent = open(7);
  sources_.bytes[bulk] = 1'000'000;
  table_.wake(bulk);
  EXPECT_EQ(send(1200), bulk);
  sources_.bytes[urgent] = 100;
  table_.wake(urgent);

  EXPECT_EQ(send(1200), urgent);
  EXPECT_EQ(send(1200), bulk);
}

// spec: PRIORITY-2
TEST_F(SendTableTest, StreamsBelowOneThatWasActiveLeaveAPartOfTheWindowFree) {
  const StreamKey bulk = open(0);
  const StreamKey urgent = open(7);
  sources_.bytes = {{bulk, 1'000'000}, {urgent, 100}};
  table_.wake(bulk);
  table_.wake(urgent);
  table_.begin_turn({.size = 10'000}, now_);
  EXPECT_EQ(send(1000), urgent);

  std::size_t count = 0;
  while (send(1000) == bulk) ++count;

  EXPECT_EQ(count, 6U);  // the sixth begins below 5500
  sources_.bytes[urgent] = 100;
  table_.wake(urgent);
  EXPECT_EQ(send(1000), urgent);
  table_.begin_turn({.size = 10'000, .in_flight = 5499}, now_);
  EXPECT_EQ(send(1000), bulk);
  table_.begin_turn({.size = 10'000, .in_flight = 5500}, now_);
  EXPECT_EQ(send(1000), std::nullopt);
}

// spec: PRIORITY-2
TEST_F(SendTableTest, StreamsYieldToADatagramToo) {
  const StreamKey bulk = open(0);
  const StreamKey urgent = open(7);
  sources_.bytes[bulk] = 1'000'000;
  sources_.datagrams[urgent] = 1;
  table_.wake(bulk);
  table_.wake(urgent);
  table_.begin_turn({.size = 10'000, .in_flight = 9000}, now_);

  const auto offer = table_.offer(sources_);
  ASSERT_TRUE(offer && offer->datagram);
  EXPECT_EQ(offer->stream, urgent);
  table_.datagram_taken(urgent, 1000);

  EXPECT_EQ(send(1000), std::nullopt);
  table_.begin_turn({.size = 10'000, .in_flight = 9000}, now_ + SendTable::kYieldFor);
  EXPECT_EQ(send(1000), bulk);
}

// spec: PRIORITY-2
TEST_F(SendTableTest, AStreamYieldsToNobodyWhenNothingMoreUrgentWasSentLately) {
  const StreamKey bulk = open(0);
  const StreamKey urgent = open(7);
  sources_.bytes[bulk] = 1'000'000;
  table_.wake(bulk);
  table_.begin_turn({.size = 10'000, .in_flight = 9000}, now_);
  EXPECT_EQ(send(1000), bulk);
  sources_.bytes[urgent] = 100;
  table_.wake(urgent);
  EXPECT_EQ(send(1000), urgent);

  table_.begin_turn({.size = 10'000, .in_flight = 9000}, now_ + SendTable::kYieldFor - 1ns);
  EXPECT_EQ(send(1000), std::nullopt);
  table_.begin_turn({.size = 10'000, .in_flight = 9000}, now_ + SendTable::kYieldFor);
  EXPECT_EQ(send(1000), bulk);
}

// spec: PRIORITY-2
TEST_F(SendTableTest, TheControlStreamAndStreamsOfOnePriorityDoNotMakeEachOtherYield) {
  const StreamKey first = open();
  const StreamKey second = open();
  sources_.bytes = {{first, 200'000}, {second, 200'000}};
  table_.wake(first);
  table_.wake(second);
  ASSERT_TRUE(scratch_.write(Bytes(10), table_.queue(kControlKey)));
  EXPECT_EQ(send(1200), kControlKey);

  table_.begin_turn({.size = 10'000, .in_flight = 9999}, now_);

  std::map<StreamKey, int> served;
  for (int i = 0; i < 6; ++i) {
    const auto stream = send(SendTable::kTurn);
    ASSERT_TRUE(stream);
    ++served[*stream];
  }
  EXPECT_GT(served[first], 0);
  EXPECT_GT(served[second], 0);
}

// spec: PRIORITY-1
TEST_F(SendTableTest, LetsTheControlStreamGoBeforeThemAll) {
  const StreamKey urgent = open(7);
  sources_.bytes[urgent] = 100'000;
  table_.wake(urgent);
  ASSERT_TRUE(scratch_.write(Bytes(10), table_.queue(kControlKey)));

  EXPECT_EQ(send(1200), kControlKey);
  EXPECT_EQ(send(1200), urgent);
}

TEST_F(SendTableTest, ServesAStreamBlockedAtAHighPriorityWhenItMayGoOn) {
  const StreamKey bulk = open(1);
  const StreamKey urgent = open(7);
  sources_.bytes = {{bulk, 10'000}, {urgent, 10'000}};
  table_.wake(bulk);
  table_.wake(urgent);
  table_.blocked(urgent);
  EXPECT_EQ(send(1000), bulk);
  table_.writable(urgent);
  EXPECT_EQ(send(1000), urgent);
  table_.set_priority(urgent, 0);
  while (send(10'000)) continue;
  EXPECT_FALSE(table_.ready());
}

TEST_F(SendTableTest, IsSettledWhenNothingIsQueuedOrInFlightOnAnyStream) {
  const StreamKey stream = table_.add();
  EXPECT_TRUE(table_.settled());

  ASSERT_TRUE(scratch_.write(Bytes(10), table_.queue(stream)));
  EXPECT_FALSE(table_.settled());
  table_.opened(*table_.next_to_open());
  ASSERT_TRUE(table_.offer(sources_).has_value());
  table_.taken(stream, 4, Fin::kNo);
  table_.blocked(stream);
  table_.acked(stream, 4);
  EXPECT_FALSE(table_.settled());
  table_.writable(stream);
  ASSERT_TRUE(table_.offer(sources_).has_value());
  table_.taken(stream, 6, Fin::kNo);
  EXPECT_FALSE(table_.settled());
  table_.acked(stream, 6);

  EXPECT_TRUE(table_.settled());
}

TEST_F(SendTableTest, SendsTheControlStreamFirst) {
  const StreamKey stream = open();
  sources_.bytes[stream] = 100;
  table_.wake(stream);
  ASSERT_TRUE(scratch_.write(bytes_of("ping"), table_.queue(kControlKey)));

  EXPECT_EQ(send(1000), kControlKey);
  EXPECT_EQ(send(1000), stream);
  EXPECT_EQ(send(1000), std::nullopt);
}

TEST_F(SendTableTest, GivesEachStreamItsTurn) {
  const StreamKey first = open();
  const StreamKey second = open();
  sources_.bytes[first] = sources_.bytes[second] = 1 << 20;
  table_.wake(first);
  table_.wake(second);
  std::map<StreamKey, std::uint64_t> sent;

  for (int packet = 0; packet < 1000; ++packet) {
    const auto stream = send(1400);
    ASSERT_TRUE(stream);
    sent[*stream] += 1400;
    EXPECT_LE(sent[first], sent[second] + SendTable::kTurn + 1400);
    EXPECT_LE(sent[second], sent[first] + SendTable::kTurn + 1400);
  }
}

TEST_F(SendTableTest, PassesOverAStreamThatIsBlockedUntilItIsWritable) {
  const StreamKey stuck = open();
  const StreamKey free = open();
  sources_.bytes[stuck] = sources_.bytes[free] = 100;
  table_.wake(stuck);
  table_.wake(free);
  table_.blocked(stuck);

  EXPECT_EQ(send(1000), free);
  EXPECT_EQ(send(1000), std::nullopt);
  table_.wake(stuck);
  EXPECT_EQ(send(1000), std::nullopt);
  table_.writable(stuck);
  EXPECT_EQ(send(1000), stuck);
}

TEST_F(SendTableTest, EndsAStreamBehindItsLastByte) {
  const StreamKey stream = open();
  ASSERT_TRUE(scratch_.write(bytes_of("the end"), table_.queue(stream)));
  table_.finish(stream);

  const auto part = table_.offer(sources_);
  ASSERT_TRUE(part);
  EXPECT_EQ(part->fin, Fin::kYes);
  table_.taken(stream, 4, Fin::kNo);  // not all of it fitted
  const auto rest = table_.offer(sources_);
  ASSERT_TRUE(rest);
  EXPECT_EQ(text_of(rest->spans[0]), "end");
  EXPECT_EQ(rest->fin, Fin::kYes);
  table_.taken(stream, 3, Fin::kYes);

  EXPECT_FALSE(table_.offer(sources_));
  EXPECT_EQ(table_.in_flight(), 7U);
}

TEST_F(SendTableTest, EndsAnEmptyStreamByFinAlone) {
  const StreamKey stream = open();
  table_.blocked(stream);
  table_.finish(stream);

  const auto offer = table_.offer(sources_);

  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->span_count, 0U);
  EXPECT_EQ(offer->fin, Fin::kYes);
}

TEST_F(SendTableTest, HoldsBackTheFinWhenMoreWaitsThanSpansCanShow) {
  const StreamKey stream = open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(scratch_.write(bytes_of("x"), table_.queue(stream)));
  table_.finish(stream);

  const auto offer = table_.offer(sources_);

  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->span_count, Offer::kSpanMax);
  EXPECT_EQ(offer->fin, Fin::kNo);
}

TEST_F(SendTableTest, GivesUpPinsOfAReleasedStreamAndReusesItsKey) {
  const StreamKey stream = open();
  ASSERT_TRUE(scratch_.write(bytes_of("lost"), table_.queue(stream)));
  table_.taken(stream, 4, Fin::kNo);
  EXPECT_FALSE(table_.offer(sources_));  // its turn is over
  const std::size_t size = table_.size();

  table_.release(stream);
  table_.acked(stream, 4);  // late news of the transport harm nobody

  EXPECT_EQ(table_.in_flight(), 0U);
  EXPECT_EQ(table_.size(), size - 1);
  EXPECT_EQ(table_.add(), stream);
  EXPECT_EQ(table_.queue(stream).unsent(), 0U);
}

TEST_F(SendTableTest, DoesNotReuseAKeyThatStillStandsInALine) {
  const StreamKey waiting = open();
  table_.wake(waiting);
  table_.release(waiting);
  EXPECT_NE(table_.add(), waiting);

  const StreamKey unopened = table_.add();
  table_.release(unopened);
  EXPECT_NE(table_.add(), unopened);
}

TEST_F(SendTableTest, DoesNotOpenAStreamThatWasReleasedBefore) {
  const StreamKey first = table_.add();
  const StreamKey second = table_.add();
  table_.release(first);

  EXPECT_EQ(table_.next_to_open(), second);
  table_.opened(second);
  EXPECT_EQ(table_.next_to_open(), std::nullopt);
  EXPECT_EQ(table_.add(), first);
}

TEST_F(SendTableTest, OffersNothingOfAStreamThatIsNotOpen) {
  const StreamKey stream = table_.add();
  sources_.bytes[stream] = 10;
  table_.wake(stream);
  EXPECT_FALSE(table_.offer(sources_));

  table_.opened(stream);
  EXPECT_TRUE(table_.offer(sources_));
}

TEST_F(SendTableTest, AsksASourceAgainOnlyWhenItsQueueRanLow) {
  const StreamKey stream = open();
  sources_.bytes[stream] = 1 << 20;
  table_.wake(stream);
  for (int packet = 0; packet < 100; ++packet) ASSERT_EQ(send(1400), stream);

  EXPECT_LE(sources_.refills, 140'000 / (16 * 1024) + 1);
}

// spec: STREAM-11
TEST_F(SendTableTest, AsksForMorePassingStreamsWhenLittleWaitsOnThoseOfTheirParent) {
  const StreamKey parent = open();
  EXPECT_FALSE(send(1).has_value());  // has nothing to say itself
  const std::size_t asked = sources_.refills;
  const StreamKey passing = table_.add_passing(parent);
  table_.opened(*table_.next_to_open());
  ASSERT_TRUE(scratch_.write(Bytes(SendTable::kRefillBelow + 1), table_.queue(passing)));
  table_.finish(passing);
  EXPECT_EQ(table_.passing_unsent(parent), SendTable::kRefillBelow + 1);

  EXPECT_EQ(send(1), passing);
  EXPECT_EQ(sources_.refills, asked);
  EXPECT_EQ(send(1), passing);
  EXPECT_EQ(table_.passing_unsent(parent), SendTable::kRefillBelow - 1);
  while (send(SendTable::kTurn)) continue;

  EXPECT_EQ(table_.passing_unsent(parent), 0U);
  EXPECT_GT(sources_.refills, asked) << "its parent's turn";
  EXPECT_TRUE(table_.settled(passing));
}

TEST_F(SendTableTest, KnowsOfAPassingStreamUntilTheTransportHasDoneWithIt) {
  const StreamKey parent = open();
  const StreamKey passing = table_.add_passing(parent);
  table_.opened(*table_.next_to_open());
  ASSERT_TRUE(scratch_.write(Bytes(100), table_.queue(passing)));
  table_.finish(passing);
  while (send(SendTable::kTurn)) continue;
  EXPECT_TRUE(table_.has_passing(parent));

  table_.release(passing);

  EXPECT_FALSE(table_.has_passing(parent));
}

TEST_F(SendTableTest, APassingStreamThatOutlivesItsParentIsNothingToWhoeverHasItsKeyNext) {
  const StreamKey parent = open();
  EXPECT_FALSE(send(1).has_value());
  const StreamKey passing = table_.add_passing(parent);
  table_.opened(*table_.next_to_open());
  ASSERT_TRUE(scratch_.write(Bytes(100), table_.queue(passing)));
  table_.finish(passing);
  table_.release(parent);

  const StreamKey heir = open();
  EXPECT_EQ(heir, parent);
  while (send(SendTable::kTurn)) continue;

  EXPECT_EQ(table_.passing_unsent(heir), 0U);
}

}  // namespace
}  // namespace orzatty::session
