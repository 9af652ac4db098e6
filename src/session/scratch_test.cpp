#include "session/scratch.h"

#include <gtest/gtest.h>

namespace orzatty::session {
namespace {

TEST(Scratch, QueuesWhatIsWrittenAndTakesItsMemoryBackWhenAcknowledged) {
  Scratch scratch(64 * 1024);
  SendQueue queue;
  const std::size_t idle = scratch.in_use();

  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(scratch.write(bytes_of("a control frame of a session"), queue));
    queue.taken(28);
    queue.acked(28);
  }

  EXPECT_EQ(queue.unsent(), 0U);
  EXPECT_LE(scratch.in_use(), 2 * Scratch::kSegmentMax);
  EXPECT_LE(idle, 512U);
}

TEST(Scratch, RefusesMoreThanItsBoundAndQueuesNothingOfIt) {
  Scratch scratch(16 * 1024);
  SendQueue queue;
  const Bytes frame(1000);
  std::uint64_t written = 0;
  while (scratch.write(frame, queue)) written += frame.size();

  EXPECT_EQ(queue.unsent(), written);
  EXPECT_GT(written, 8'000U);
  EXPECT_LE(scratch.in_use(), 16U * 1024);

  queue.taken(written);
  queue.acked(written);
  EXPECT_TRUE(scratch.write(frame, queue));
}

TEST(Scratch, TakesAFrameThatIsLongerThanASegment) {
  Scratch scratch(256 * 1024);
  SendQueue queue;

  ASSERT_TRUE(scratch.write(Bytes(65'000), queue));

  EXPECT_EQ(queue.unsent(), 65'000U);
}

}  // namespace
}  // namespace orzatty::session
