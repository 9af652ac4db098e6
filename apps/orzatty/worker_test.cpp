#include "worker.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>

namespace orzatty::apps {
namespace {

TEST(Worker, AnswersWhatItIsTold) {
  auto worker = Worker::start([](Conversation& conversation) {
    const auto number = conversation.hear<int>();
    return number && conversation.tell(*number + 1) ? 0 : 1;
  });
  ASSERT_TRUE(worker.has_value()) << worker.error().text;

  EXPECT_TRUE(worker->conversation().tell(41));

  EXPECT_EQ(worker->conversation().hear<int>(), 42);
  EXPECT_TRUE(worker->await());
}

TEST(Worker, ThatFailsIsSeenByWhoAwaitsIt) {
  auto worker = Worker::start([](Conversation&) { return 1; });
  ASSERT_TRUE(worker.has_value());

  EXPECT_EQ(worker->conversation().hear<int>(), std::nullopt);
  EXPECT_FALSE(worker->await());
}

TEST(Worker, EndsWithItsOwner) {
  {
    auto worker = Worker::start([](Conversation& conversation) {
      while (true) static_cast<void>(conversation.hear<int>());
      return 0;
    });
    ASSERT_TRUE(worker.has_value());
  }

  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // there is no child any more
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace orzatty::apps
