#include "shell_command.h"

#include <gtest/gtest.h>

#include <csignal>

namespace orzatty::apps {
namespace {

TEST(ShellCommand, IsGivenBytesAndGivesBytes) {
  const std::string zeros(200'000, '\0');

  const auto same = run_shell("cat", bytes_of(zeros), 1'000'000);

  ASSERT_TRUE(same) << same.error().text;
  EXPECT_EQ(*same, zeros);
  EXPECT_EQ(run_shell("wc -c | tr -d ' \\n'", bytes_of("12345"), 100).value_or(""), "5");
}

TEST(ShellCommand, ThatDoesNotReadItsInputIsNotHeldUp) {
  EXPECT_EQ(run_shell("printf done", bytes_of(std::string(1'000'000, 'x')), 100).value_or(""),
            "done");
}

TEST(ShellCommand, ThatFailsOrWritesTooMuchGivesNothing) {
  EXPECT_NE(run_shell("exit 3", {}, 100).error().text.find("3"), std::string::npos);
  EXPECT_NE(run_shell("kill -9 $$", {}, 100).error().text.find("signal"), std::string::npos);
  EXPECT_EQ(run_shell("printf 12345", {}, 5).value_or(""), "12345");
  EXPECT_FALSE(run_shell("printf 123456", {}, 5));
  EXPECT_FALSE(run_shell("yes", {}, 5));
}

TEST(ShellCommand, ThatWritesOnIsEndedThoughThisProcessIgnoresBrokenPipes) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);

  EXPECT_FALSE(run_shell("while :; do echo x; done", {}, 5));

  std::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace orzatty::apps
