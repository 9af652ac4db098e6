#include "session/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include "session/session_for_test.h"
#include "wire/channel_stream.h"
#include "wire/message.h"

namespace orzatty::session {
namespace {

using namespace std::chrono_literals;

std::string payload_of(std::uint64_t number, std::size_t size) {
  std::string text = std::to_string(number) + ":";
  text.resize(std::max(size, text.size()), static_cast<char>('a' + number % 26));
  return text;
}

// What a peer reads on one PUBLISH stream.
class Peer {
 public:
  explicit Peer(Sequence start) {
    const Bytes preface = test::frame(wire::Publish{.publication = PublicationId(0),
                                                    .producer = {},
                                                    .epoch = {},
                                                    .next = start,
                                                    .channel = ChannelName::of(1)});
    read(preface);
  }
  // Takes all that was queued, as a transport that acknowledges at once.
  void take(SendQueue& queue) {
    std::array<BytesView, 8> spans;
    while (const std::size_t count = queue.peek(spans)) {
      std::uint64_t size = 0;
      for (const BytesView span : std::span(spans).first(count)) {
        read(span);
        size += span.size();
      }
      queue.taken(size);
      queue.acked(size);
    }
  }
  Sequence first{~std::uint64_t{0} >> 2};
  Sequence next;
  std::vector<std::string> payloads;
  std::vector<wire::Skip> skips;
  MessageAttributes attributes;     // of the last message, without its views
  std::vector<std::uint64_t> runs;  // their nonces, of each piece that came

 private:
  void read(BytesView bytes) {
    reader_.feed(bytes);
    while (true) {
      const auto item = reader_.next();
      ASSERT_TRUE(item) << name(item.error().code) << " " << item.error().where;
      if (std::holds_alternative<wire::NeedMore>(*item)) return;
      if (const auto* skip = std::get_if<wire::Skip>(&*item)) {
        skips.push_back(*skip);
        next = skip->to;
      }
      if (const auto* messages = std::get_if<wire::Messages>(&*item)) {
        first = std::min(first, Sequence(messages->first));
        next = Sequence(messages->first + messages->count);
        if (runs.empty() || runs.back() != messages->nonce) runs.push_back(messages->nonce);
        for (const wire::MessageView message : wire::MessageRange(messages->bytes)) {
          payloads.emplace_back(text_of(message.payload));
          attributes = *wire::decode_attributes(message.attributes);
          attributes.key = {};
        }
      }
    }
  }

  wire::ChannelStreamReader reader_{wire::StreamOpener::kClient, 1 << 20};
};

class OutboxTest : public testing::Test {
 protected:
  std::uint64_t append(std::uint64_t count, std::size_t size = 64) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string text = payload_of(outbox_.next_sequence().value(), size);
      if (!outbox_.append(MessageType::kRaw, bytes_of(text))) return i;
    }
    return count;
  }
  // One message that lives for so long; 0 is for ever.
  [[nodiscard]] bool append_timed(std::chrono::milliseconds time_to_live, std::size_t size = 64) {
    const std::string text = payload_of(outbox_.next_sequence().value(), size);
    MessageAttributes attributes;
    if (time_to_live.count() > 0) attributes.time_to_live = time_to_live;
    return outbox_.append(MessageType::kRaw, bytes_of(text), attributes, now_);
  }
  std::optional<Outbox::Skipped> expire(Instant now) {
    outbox_.skip(now);
    return outbox_.take_skipped();
  }
  void fill_all() {
    while (outbox_.has_unsent()) outbox_.fill(queue_, scratch_, ++nonce_);
  }
  // A value into an outbox of mode latest.
  [[nodiscard]] bool set(std::string_view key, std::string_view value) {
    const MessageAttributes attributes{.key = bytes_of(key)};
    return latest_.append(MessageType::kRaw, bytes_of(value), attributes, now_);
  }
  // What is superseded, as "from-to ".
  std::string skip_all() {
    std::string text;
    latest_.skip(now_);
    while (const auto skipped = latest_.take_skipped()) {
      if (skipped->reason == GapReason::kExpired) text += 'x';
      text +=
          std::to_string(skipped->from.value()) + '-' + std::to_string(skipped->to.value()) + ' ';
    }
    return text;
  }
  void fill_latest() {
    for (std::uint64_t before = 1; before != queue_.unsent();) {
      before = queue_.unsent();
      latest_.fill(queue_, scratch_, ++nonce_);
    }
  }

  static constexpr std::size_t kSizeMax = 256 * 1024;
  Scratch scratch_{1 << 20};
  Outbox outbox_{kSizeMax};
  Outbox latest_{kSizeMax, Sequence(0), DeliveryMode::kLatest};
  SendQueue queue_;
  std::uint32_t nonce_ = 0;
  Instant now_{};
};

// spec: PUBLISH-1, STREAM-5
TEST_F(OutboxTest, SendsWhatWasAppendedOnceAndInOrder) {
  Peer peer{Sequence(0)};
  for (int round = 0; round < 10; ++round) {
    ASSERT_EQ(append(7), 7U);
    fill_all();
    peer.take(queue_);
  }

  ASSERT_EQ(peer.payloads.size(), 70U);
  for (std::uint64_t i = 0; i < 70; ++i) EXPECT_EQ(peer.payloads[i], payload_of(i, 64));
  EXPECT_EQ(outbox_.sent(), Sequence(70));
  EXPECT_FALSE(outbox_.has_unsent());
  EXPECT_EQ(outbox_.waiting(), 70U);
}

TEST_F(OutboxTest, CutsWhatCameTogetherIntoRunsThatEndWhereMessagesEnd) {
  Peer peer{Sequence(0)};
  append(3000);
  fill_all();
  peer.take(queue_);

  EXPECT_EQ(peer.payloads.size(), 3000U);
  EXPECT_GE(peer.runs.size(), 3000 * 66 / (Outbox::kRunBytes + 66));
  EXPECT_LE(peer.runs.size(), 3000 * 66 / Outbox::kRunBytes + 1);
}

TEST_F(OutboxTest, TakesNoMoreThanItsRoomUntilThePeerAcknowledges) {
  const std::uint64_t count = append(1'000'000, 998);
  EXPECT_EQ(count, kSizeMax / 1001);
  EXPECT_FALSE(outbox_.has_room(998));
  EXPECT_TRUE(outbox_.has_room(200));

  fill_all();
  Peer peer{Sequence(0)};
  peer.take(queue_);
  EXPECT_EQ(append(1, 998), 0U);  // taken by the transport is not enough
  outbox_.acknowledged(Sequence(count / 2));

  EXPECT_TRUE(outbox_.has_room(998));
  EXPECT_GE(append(count, 998), count / 2 - 2 * Outbox::kRunBytes / 1001);
  EXPECT_EQ(outbox_.acknowledged(), Sequence(count / 2));
}

TEST_F(OutboxTest, GrowsToTwiceWhatItHeldOnceAllOfThatIsOnItsWayAndToItsMaximumAtMost) {
  constexpr std::uint64_t kFrame = 1001;
  Outbox growing(OutboxSize(64 * 1024, 160 * 1024));
  SendQueue queue;
  const auto append_all = [&] {
    std::uint64_t count = 0;
    while (growing.append(MessageType::kRaw, Bytes(kFrame - 3))) ++count;
    return count;
  };
  // The last message may go beyond the room.
  std::uint64_t held = append_all();
  EXPECT_EQ(held, 64 * 1024 / kFrame + 1);
  growing.grow_if_on_its_way();
  EXPECT_EQ(append_all(), 0U) << "nothing of it was sent";

  for (const std::uint64_t size : {128U * 1024, 160U * 1024, 160U * 1024}) {
    while (growing.has_unsent()) growing.fill(queue, scratch_, ++nonce_);
    growing.grow_if_on_its_way();
    held += append_all();
    EXPECT_NEAR(static_cast<double>(held), static_cast<double>(size / kFrame), 1);
  }
}

TEST_F(OutboxTest, TakesAMessageLargerThanTheRoomWhenItIsEmpty) {
  outbox_.set_room(1000);
  EXPECT_EQ(append(1, 100'000), 1U);
  EXPECT_EQ(append(1, 10), 0U);

  fill_all();
  Peer peer{Sequence(0)};
  peer.take(queue_);
  EXPECT_EQ(peer.payloads.at(0), payload_of(0, 100'000));
  outbox_.acknowledged(Sequence(1));
  EXPECT_EQ(append(1, kSizeMax), 1U);
}

TEST_F(OutboxTest, TakesAMessageLargerThanTheRoomWhileThoseBeforeItAreOnTheirWay) {
  outbox_.set_room(1000);
  EXPECT_EQ(append(1, 100'000), 1U);
  EXPECT_FALSE(outbox_.has_room(100'000));

  fill_all();  // not acknowledged

  EXPECT_TRUE(outbox_.has_room(100'000));
  EXPECT_EQ(append(2, 100'000), 1U);
}

TEST_F(OutboxTest, CountsWhatIsUnsentAgainstTheRoomThatTheGovernorSet) {
  outbox_.set_room(64 * 1024);
  const std::uint64_t first = append(10'000, 998);
  EXPECT_EQ(first, 64U * 1024 / 1001 + 1) << "the last may go beyond it";

  fill_all();  // now it is on its way
  const std::uint64_t second = append(10'000, 998);
  EXPECT_GE(second, first - 1);
  fill_all();
  EXPECT_GT(append(10'000, 998), 0U);
  EXPECT_LE(outbox_.appended_bytes(), kSizeMax);
}

TEST_F(OutboxTest, SendsAgainExactlyWhatWasNotAcknowledged) {
  append(2000);
  fill_all();
  Peer before{Sequence(0)};
  before.take(queue_);
  outbox_.acknowledged(Sequence(1234));

  outbox_.rewind();
  append(10);
  Peer after{outbox_.sent()};
  EXPECT_EQ(outbox_.sent(), Sequence(1234));
  const std::uint64_t again = outbox_.sent().value();
  fill_all();
  after.take(queue_);

  ASSERT_EQ(after.payloads.size(), 2010 - again);
  for (std::uint64_t i = again; i < 2010; ++i) {
    EXPECT_EQ(after.payloads[i - again], payload_of(i, 64));
  }
}

TEST_F(OutboxTest, SendsAWholeRunAgainEvenWhenItIsAcknowledgedMeanwhile) {
  append(100);
  fill_all();
  Peer before{Sequence(0)};
  before.take(queue_);
  outbox_.rewind();
  Peer after{outbox_.sent()};

  outbox_.acknowledged(Sequence(100));  // the peer had it all; but its stream begins at 0 now
  append(1);
  fill_all();
  after.take(queue_);

  EXPECT_EQ(after.first, Sequence(0));
  EXPECT_EQ(after.payloads.size(), 101U);
  outbox_.acknowledged(Sequence(101));
  EXPECT_EQ(outbox_.waiting(), 0U);
}

TEST_F(OutboxTest, GivesAllMemoryBackInTheEnd) {
  for (int round = 0; round < 50; ++round) {
    append(1000);
    fill_all();
    Peer peer{Sequence(outbox_.acknowledged())};
    peer.take(queue_);
    outbox_.acknowledged(outbox_.published());
  }

  EXPECT_EQ(append(1'000'000, 998), kSizeMax / 1001);
}

TEST_F(OutboxTest, ForgetsNoRunWhenTheScratchIsFull) {
  Scratch full(2048);
  SendQueue control;
  while (full.write(Bytes(10), control)) continue;
  append(10);

  outbox_.fill(queue_, full, 1);
  EXPECT_EQ(queue_.unsent(), 0U);
  EXPECT_TRUE(outbox_.has_unsent());

  outbox_.fill(queue_, scratch_, 1);
  Peer peer{Sequence(0)};
  peer.take(queue_);
  EXPECT_EQ(peer.payloads.size(), 10U);
}

// spec: DEADLINE-1, STREAM-5
TEST_F(OutboxTest, SkipsWhatExpiredBeforeItWasSentAndSendsTheRestWithoutAHole) {
  ASSERT_EQ(append(2), 2U);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append_timed(10ms));
  ASSERT_TRUE(append_timed(20ms));
  ASSERT_EQ(append(1), 1U);
  fill_all();  // would take all of it: only what is never sent can expire
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append_timed(10ms));
  ASSERT_TRUE(append_timed(20ms));
  ASSERT_EQ(append(1), 1U);
  EXPECT_EQ(outbox_.next_expiry(), now_ + 10ms);
  EXPECT_FALSE(expire(now_ + 10ms - 1ns));

  const auto expired = expire(now_ + 10ms);
  ASSERT_TRUE(expired);
  EXPECT_EQ(expired->from, Sequence(7));
  EXPECT_EQ(expired->to, Sequence(10));
  EXPECT_EQ(outbox_.next_expiry(), now_ + 20ms);
  fill_all();
  Peer peer{Sequence(0)};
  peer.take(queue_);

  EXPECT_EQ(peer.payloads.size(), 9U);
  EXPECT_EQ(peer.next, Sequence(12));
  ASSERT_EQ(peer.skips.size(), 1U);
  EXPECT_EQ(peer.skips[0], (wire::Skip{Sequence(7), Sequence(10), GapReason::kExpired}));
  EXPECT_FALSE(expire(now_ + 1h));
}

TEST_F(OutboxTest, ExpiresNothingThatWasInARunOnceEvenAfterALostConnection) {
  ASSERT_TRUE(append_timed(10ms));
  fill_all();
  queue_.clear();
  outbox_.rewind();
  ASSERT_TRUE(append_timed(10ms));
  ASSERT_TRUE(append_timed(10ms));

  const auto expired = expire(now_ + 10ms);
  fill_all();
  Peer peer{Sequence(0)};
  peer.take(queue_);

  ASSERT_TRUE(expired);
  EXPECT_EQ(expired->from, Sequence(1));
  ASSERT_EQ(peer.payloads.size(), 1U);
  ASSERT_EQ(peer.skips.size(), 1U);
  EXPECT_EQ(peer.skips[0].to, Sequence(3));
}

// spec: DEADLINE-1
TEST_F(OutboxTest, SaysASkipAgainUntilThePeerKnowsIt) {
  ASSERT_EQ(append(1), 1U);
  ASSERT_TRUE(append_timed(10ms));
  fill_all();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(append_timed(10ms));
  ASSERT_TRUE(expire(now_ + 10ms));
  fill_all();
  outbox_.acknowledged(Sequence(2));

  outbox_.rewind();
  Peer again{outbox_.sent()};
  queue_.clear();
  fill_all();
  again.take(queue_);
  outbox_.acknowledged(Sequence(4));  // a part of it, as far as anybody can tell
  outbox_.rewind();
  Peer third{outbox_.sent()};
  fill_all();
  third.take(queue_);

  ASSERT_EQ(again.skips.size(), 1U);
  EXPECT_EQ(again.skips[0].from, Sequence(2));
  ASSERT_EQ(third.skips.size(), 1U);
  EXPECT_EQ(third.skips[0].from, Sequence(4));
  EXPECT_EQ(third.skips[0].to, Sequence(6));
}

TEST_F(OutboxTest, HasTheRoomOfWhatExpiredAtOnce) {
  while (append_timed(10ms, 1000)) continue;
  EXPECT_FALSE(outbox_.has_room(1000));

  ASSERT_TRUE(expire(now_ + 10ms));

  EXPECT_TRUE(outbox_.has_room(1000));
  now_ += 10ms;
  std::uint64_t count = 0;
  while (append_timed(10ms, 1000)) ++count;
  EXPECT_GT(count, kSizeMax / 1100);
}

TEST_F(OutboxTest, QueuesLittleOfWhatMayStillExpire) {
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(append_timed(10ms, 100));

  outbox_.fill(queue_, scratch_, 1);

  EXPECT_LE(queue_.unsent(), Outbox::kTimedRunBytes + 200);
  EXPECT_TRUE(outbox_.may_skip());
}

// Every message another deadline: there is room for some thousands, then the writer waits.
TEST_F(OutboxTest, FindsNoRoomForMoreDeadlinesThanItKeepsApart) {
  Outbox large(1 << 20);
  const auto take = [&] {
    const MessageAttributes attributes{.time_to_live = 10ms};
    now_ += 1ms;
    return large.append(MessageType::kRaw, bytes_of("x"), attributes, now_);
  };
  std::uint64_t count = 0;
  while (take()) ++count;
  EXPECT_EQ(count, 4096U);
  EXPECT_FALSE(large.has_room(1));

  large.skip(now_);

  EXPECT_TRUE(large.has_room(1));
  EXPECT_TRUE(take());
}

// spec: LATEST-1
TEST_F(OutboxTest, SendsTheNewestValueOfEachKeyAndSkipsThoseThatItTookThePlaceOf) {
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"a", "a1"}, {"b", "b1"}, {"a", "a2"}, {"", "1"}, {"a", "a3"}, {"", "2"}, {"c", "c1"}}) {
    ASSERT_TRUE(set(key, value));
  }

  EXPECT_EQ(skip_all(), "0-1 ");
  fill_latest();
  EXPECT_EQ(skip_all(), "2-4 ");
  Peer peer{Sequence(0)};
  peer.take(queue_);

  EXPECT_EQ(peer.payloads, (std::vector<std::string>{"b1", "a3", "2", "c1"}));
  ASSERT_EQ(peer.skips.size(), 2U);
  EXPECT_EQ(peer.skips[0], (wire::Skip{Sequence(0), Sequence(1), GapReason::kSuperseded}));
  EXPECT_EQ(peer.skips[1], (wire::Skip{Sequence(2), Sequence(4), GapReason::kSuperseded}));
  EXPECT_FALSE(latest_.has_unsent());
  EXPECT_EQ(skip_all(), "");
}

// spec: LATEST-1
TEST_F(OutboxTest, SendsAgainWhatWasSentOnceThoughThereIsANewerValue) {
  ASSERT_TRUE(set("a", "a1"));
  fill_latest();
  queue_.clear();
  latest_.rewind();
  ASSERT_TRUE(set("a", "a2"));
  ASSERT_TRUE(set("a", "a3"));

  EXPECT_EQ(skip_all(), "1-2 ");
  fill_latest();
  Peer peer{Sequence(0)};
  peer.take(queue_);

  EXPECT_EQ(peer.payloads, (std::vector<std::string>{"a1", "a3"}));
  ASSERT_EQ(peer.skips.size(), 1U);
}

TEST_F(OutboxTest, SkipsAValueWhoseTimeIsOverAsExpiredAndWhatItTookThePlaceOfAsSuperseded) {
  ASSERT_TRUE(set("a", "a1"));
  const MessageAttributes attributes{.time_to_live = 10ms, .key = bytes_of("a")};
  ASSERT_TRUE(latest_.append(MessageType::kRaw, bytes_of("a2"), attributes, now_));
  ASSERT_TRUE(set("b", "b1"));
  now_ += 10ms;

  EXPECT_EQ(skip_all(), "0-1 x1-2 ");
  fill_latest();
  Peer peer{Sequence(0)};
  peer.take(queue_);

  EXPECT_EQ(peer.payloads, std::vector<std::string>{"b1"});
  EXPECT_EQ(peer.skips.size(), 2U);
}

// Nothing is acknowledged, and the writer is never held up.
TEST_F(OutboxTest, HasTheRoomOfSupersededValuesAtOnceAlsoBehindThoseThatAreOnTheirWay) {
  latest_.set_room(64 * 1024);
  std::uint64_t sent = 0;
  for (int i = 0; i < 200'000; ++i) {
    ASSERT_TRUE(set(i % 2 == 0 ? "a" : "b", std::string(60, 'x'))) << i;
    if (i % 100 == 0) static_cast<void>(skip_all());
    if (i % 5'000 == 0) fill_latest();  // so slow is the path
  }
  static_cast<void>(skip_all());
  fill_latest();
  Peer peer{Sequence(0)};
  peer.take(queue_);
  sent = peer.payloads.size();

  EXPECT_EQ(peer.next, Sequence(200'000));
  EXPECT_LE(sent, 41U * 2);
  EXPECT_LE(latest_.appended_bytes() / 64, 200'000U * 3);
}

// Values of rare keys wait at the frontier while nothing can be sent; they keep their place.
TEST_F(OutboxTest, GoesOnSupersedingBehindValuesThatNothingTakesThePlaceOf) {
  latest_.set_room(64 * 1024);
  for (int i = 0; i < 100'000; ++i) {
    const std::string key = i % 5'000 == 0 ? "rare " + std::to_string(i) : "often";
    ASSERT_TRUE(set(key, payload_of(static_cast<std::uint64_t>(i), 60))) << i;
    if (i % 100 == 0) static_cast<void>(skip_all());
  }
  static_cast<void>(skip_all());
  fill_latest();
  Peer peer{Sequence(0)};
  peer.take(queue_);

  const auto has = [&](std::uint64_t number) {
    return std::ranges::find(peer.payloads, payload_of(number, 60)) != peer.payloads.end();
  };
  for (std::uint64_t i = 0; i < 100'000; i += 5'000) EXPECT_TRUE(has(i)) << i;
  EXPECT_TRUE(has(99'999));
  EXPECT_EQ(peer.next, Sequence(100'000));
  EXPECT_LT(peer.payloads.size(), 2'000U);
}

TEST_F(OutboxTest, QueuesLittleOfWhatMayStillBeSuperseded) {
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(set(std::to_string(i), std::string(100, 'x')));

  latest_.fill(queue_, scratch_, 1);

  EXPECT_LE(queue_.unsent(), Outbox::kTimedRunBytes + 200);
  EXPECT_TRUE(latest_.may_skip());
}

TEST_F(OutboxTest, TellsSomeThousandKeysApartAndTakesNoValueOfOneMore) {
  for (std::size_t i = 0; i < ValueKeys::kKeyCountMax; ++i) {
    ASSERT_TRUE(latest_.admits(bytes_of(std::to_string(i))));
    ASSERT_TRUE(set(std::to_string(i), ""));
    if (i % 1000 != 0) continue;
    fill_latest();
    queue_.clear();
    latest_.acknowledged(latest_.sent());
  }

  EXPECT_TRUE(latest_.admits(bytes_of("0")));
  EXPECT_FALSE(latest_.admits(bytes_of("one more")));
  EXPECT_FALSE(set("one more", ""));
  EXPECT_TRUE(outbox_.admits(bytes_of("one more")));
}

TEST_F(OutboxTest, CarriesTheAttributesOfAMessage) {
  const MessageAttributes attributes{
      .time_to_live = 50ms, .timestamp = std::chrono::microseconds(7), .key = bytes_of("AAPL")};
  ASSERT_TRUE(outbox_.append(MessageType::kText, bytes_of("17.5"), attributes, now_));
  fill_all();
  Peer peer{Sequence(0)};
  peer.take(queue_);

  ASSERT_EQ(peer.payloads.size(), 1U);
  EXPECT_EQ(peer.payloads[0], "17.5");
  EXPECT_EQ(peer.attributes.time_to_live, 50ms);
  EXPECT_EQ(peer.attributes.timestamp, std::chrono::microseconds(7));
}

// The same in mode latest: each message comes or is superseded, and the last of each key comes.
TEST_F(OutboxTest, IsWrittenByOneThreadWhileAnotherSendsAndSupersedes) {
  constexpr std::uint64_t kCount = 200'000;
  latest_.set_room(32 * 1024);
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kCount; ++i) {
      const std::string text = payload_of(i, 1 + i * 31 % 300);
      while (!set(std::to_string(i * i % 7), text)) std::this_thread::yield();
    }
  });
  std::uint64_t superseded = 0;
  std::uint64_t sent = 0;
  std::uint64_t turns = 0;
  Peer peer{Sequence(0)};
  while (peer.next < Sequence(kCount)) {
    latest_.fill(queue_, scratch_, ++nonce_);
    while (const auto skipped = latest_.take_skipped()) superseded += skipped->to - skipped->from;
    peer.payloads.clear();
    peer.take(queue_);
    std::uint64_t number = peer.next.value() - peer.payloads.size();
    const bool skip_was_last = !peer.skips.empty() && peer.skips.back().to == peer.next;
    for (const std::string& text : peer.payloads) {
      if (!skip_was_last) { ASSERT_EQ(text, payload_of(number, 1 + number * 31 % 300)); }
      ++number;
    }
    sent += peer.payloads.size();
    if (++turns % 16 == 0) latest_.acknowledged(peer.next);
  }
  writer.join();

  EXPECT_EQ(latest_.published(), Sequence(kCount));
  EXPECT_EQ(sent + superseded, kCount);
}

// One thread appends through a small room, the other sends, acknowledges and now and then loses its
// connection. (Under the thread sanitizer this is the proof that there is no race.)
TEST_F(OutboxTest, IsWrittenByOneThreadWhileAnotherSendsIt) {
  constexpr std::uint64_t kCount = 60'000;
  outbox_.set_room(32 * 1024);
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kCount; ++i) {
      const std::string text = payload_of(i, 1 + i * 31 % 300);
      MessageAttributes attributes;
      if (i / 50 % 2 == 0) attributes.time_to_live = 1h;
      while (!outbox_.append(MessageType::kRaw, bytes_of(text), attributes, now_)) {
        std::this_thread::yield();
      }
    }
  });
  std::uint64_t expected = 0;
  std::uint64_t turns = 0;
  auto peer = std::make_unique<Peer>(Sequence(0));
  while (expected < kCount) {
    outbox_.fill(queue_, scratch_, ++nonce_);
    peer->payloads.clear();
    peer->take(queue_);
    std::uint64_t number = peer->next.value() - peer->payloads.size();
    for (const std::string& text : peer->payloads) {
      ASSERT_EQ(text, payload_of(number, 1 + number * 31 % 300));
      ++number;
    }
    if (number > expected) expected = number;
    if (++turns % 64 == 0) {
      outbox_.rewind();
      peer = std::make_unique<Peer>(outbox_.sent());
      peer->next = outbox_.sent();
    } else {
      outbox_.acknowledged(Sequence(expected));
    }
  }
  writer.join();

  EXPECT_EQ(outbox_.published(), Sequence(kCount));
}

// spec: STREAM-11
TEST(OutboxOfShortRuns, PutsWhatAPacketHoldsIntoARunAndALargerMessageIntoItsOwn) {
  Scratch scratch(1 << 20);
  Outbox outbox(1 << 20, Sequence(0), DeliveryMode::kUnordered);
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(outbox.append(MessageType::kRaw, bytes_of(std::string(100, 'x'))));
  }
  ASSERT_TRUE(outbox.append(MessageType::kRaw, bytes_of(std::string(5000, 'y'))));
  ASSERT_TRUE(outbox.append(MessageType::kRaw, bytes_of("z")));

  std::vector<std::uint64_t> ends;
  while (outbox.has_unsent()) {
    SendQueue queue;
    outbox.fill(queue, scratch, 1);
    ends.push_back(outbox.sent().value());
  }

  EXPECT_EQ(ends, (std::vector<std::uint64_t>{9, 12, 13, 14}));
}

// spec: PUBLISH-11
TEST(OutboxOfShortRuns, SendsNoMoreOfThemThanMayBeBehindTheOldestWithoutAnAnswer) {
  Scratch scratch(1 << 20);
  Outbox outbox(4 << 20, Sequence(0), DeliveryMode::kUnordered);
  for (std::size_t i = 0; i <= Outbox::kShortRunCountMax; ++i) {
    ASSERT_TRUE(outbox.append(MessageType::kRaw, bytes_of(std::string(1000, 'x'))));
  }
  SendQueue queue;
  for (std::size_t i = 0; i <= Outbox::kShortRunCountMax; ++i) outbox.fill(queue, scratch, 1);
  EXPECT_EQ(outbox.sent(), Sequence(Outbox::kShortRunCountMax));

  outbox.acknowledged(Sequence(1));
  outbox.fill(queue, scratch, 1);

  EXPECT_EQ(outbox.sent(), Sequence(Outbox::kShortRunCountMax + 1));
  queue.clear();
}

// spec: PUBLISH-11
TEST(OutboxOfShortRuns, CutsThemOnTheNextConnectionWhereTheyWereCut) {
  Scratch scratch(1 << 20);
  Outbox outbox(1 << 20, Sequence(0), DeliveryMode::kUnordered);
  const auto append = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(outbox.append(MessageType::kRaw, bytes_of(std::string(300, 'x'))));
    }
  };
  const auto fill = [&] {
    SendQueue queue;
    outbox.fill(queue, scratch, 1);
    return outbox.sent();
  };
  append(1);
  EXPECT_EQ(fill(), Sequence(1));
  append(5);
  EXPECT_EQ(fill(), Sequence(4));

  outbox.rewind();

  EXPECT_EQ(fill(), Sequence(1));
  EXPECT_EQ(fill(), Sequence(4));
  EXPECT_EQ(fill(), Sequence(6));
}

}  // namespace
}  // namespace orzatty::session
