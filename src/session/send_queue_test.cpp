#include "session/send_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace orzatty::session {
namespace {

class SendQueueTest : public testing::Test {
 protected:
  void write(std::string_view text) {
    ASSERT_TRUE(log_.append(bytes_of(text), 1));
    for (std::size_t rest = text.size(); rest > 0;) {
      base::Piece piece = base::Log::take(written_, rest);
      rest -= piece.bytes.size();
      queue_.push(std::move(piece));
    }
    log_.trim(written_);
  }
  std::string offered(std::size_t span_max = 8) const {
    std::array<BytesView, 8> spans;
    std::string text;
    const std::size_t count = queue_.peek(std::span(spans).first(span_max));
    for (const BytesView span : std::span(spans).first(count)) text += text_of(span);
    return text;
  }

  base::SegmentPool pool_{1 << 20, 1 << 20};
  base::Log log_{pool_, base::SegmentPool::kSizeMin, base::SegmentPool::kSizeMin};
  base::LogCursor written_ = log_.end();
  SendQueue queue_;
};

TEST_F(SendQueueTest, OffersWhatWasNotTakenInOrder) {
  write("one ");
  write("two ");
  write("three");

  queue_.taken(5);

  EXPECT_EQ(offered(), "wo three");
  EXPECT_EQ(offered(1), "wo ");
  EXPECT_EQ(queue_.unsent(), 8U);
  EXPECT_EQ(queue_.in_flight(), 5U);
}

// spec: CREDIT-4
TEST_F(SendQueueTest, HoldsASegmentUntilItsLastByteIsAcknowledged) {
  const std::size_t before = pool_.in_use();
  write(std::string(5 * 448, 'x'));  // the capacity of a segment of 512
  const std::size_t full = pool_.in_use();
  queue_.taken(5 * 448);

  queue_.acked(447);
  EXPECT_EQ(pool_.in_use(), full);
  queue_.acked(1);
  EXPECT_EQ(pool_.in_use(), full - 512);
  queue_.acked(4 * 448);

  EXPECT_EQ(queue_.in_flight(), 0U);
  EXPECT_EQ(pool_.in_use(), before);
}

TEST_F(SendQueueTest, GivesUpAllPinsWhenTheTransportIsGone) {
  const std::size_t before = pool_.in_use();
  write(std::string(3000, 'x'));
  queue_.taken(1000);

  queue_.clear();

  EXPECT_EQ(queue_.unsent() + queue_.in_flight(), 0U);
  EXPECT_EQ(offered(), "");
  EXPECT_LE(pool_.in_use(), before + 512);
}

TEST_F(SendQueueTest, GoesOnWhenPiecesAreTakenAndAcknowledgedInAnySteps) {
  std::string sent;
  std::string expected;
  std::uint64_t flying = 0;
  for (int round = 0; round < 300; ++round) {
    const std::string text(static_cast<std::size_t>(round * 37 % 900 + 1),
                           static_cast<char>('a' + round % 26));
    write(text);
    expected += text;
    const std::size_t size = std::min<std::size_t>(queue_.unsent(), 433);
    sent += offered().substr(0, size);
    const std::size_t really = std::min(offered().size(), size);
    queue_.taken(really);
    flying += really;
    const std::uint64_t acknowledged = flying / 2;
    queue_.acked(acknowledged);
    flying -= acknowledged;
  }
  while (queue_.unsent() > 0) {
    sent += offered();
    queue_.taken(offered().size());
  }

  EXPECT_EQ(sent, expected);
}

}  // namespace
}  // namespace orzatty::session
