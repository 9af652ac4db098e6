#include "state_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "context.h"
#include "development.h"
#include "folder_for_test.h"

namespace orzatty::apps {
namespace {

using testing::HasSubstr;

Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

std::filesystem::perms permissions(const std::filesystem::path& path) {
  return std::filesystem::status(path).permissions();
}

constexpr auto kOwnerOnly =
    std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;

TEST(StateFolder, TheFlagCountsBeforeTheEnvironmentAndThatBeforeXdgAndHome) {
  const auto all = environment({{"ORZATTY_STATE", "/a"}, {"XDG_STATE_HOME", "/b"}, {"HOME", "/c"}});

  EXPECT_EQ(StateFolder::locate("/flag", all)->path(), "/flag");
  EXPECT_EQ(StateFolder::locate("", all)->path(), "/a");
  EXPECT_EQ(
      StateFolder::locate("", environment({{"XDG_STATE_HOME", "/b"}, {"HOME", "/c"}}))->path(),
      "/b/orzatty");
  EXPECT_EQ(StateFolder::locate("", environment({{"HOME", "/c"}}))->path(),
            "/c/.local/state/orzatty");
}

TEST(StateFolder, ARelativeXdgPathCountsAsNone) {
  const auto folder =
      StateFolder::locate("", environment({{"XDG_STATE_HOME", "b"}, {"HOME", "/c"}}));

  EXPECT_EQ(folder->path(), "/c/.local/state/orzatty");
}

TEST(StateFolder, WithoutAnyPlaceItIsAUsageError) {
  const auto folder = StateFolder::locate("", environment({}));

  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ExitCode::kUsage);
}

TEST(StateFolder, WhatIsMadeForDevelopmentIsReadableForItsOwnerAlone) {
  const FolderForTest test;
  const auto folder = StateFolder::locate((test.path() / "a" / "state").string(), environment({}));

  const auto made = prepare_development(*folder, /*unix_time=*/0);

  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(permissions(folder->path()), std::filesystem::perms::owner_all);
  EXPECT_EQ(permissions(folder->key()), kOwnerOnly);
  EXPECT_EQ(permissions(folder->token()), kOwnerOnly);
  EXPECT_EQ(permissions(folder->secret()), kOwnerOnly);
  EXPECT_NE(made->secret, made->token);
  EXPECT_EQ(made->token.size(), 64U);
}

TEST(StateFolder, ACertificateAndTokenAreMadeOnce) {
  const FolderForTest test;
  const auto folder = StateFolder::locate((test.path() / "state").string(), environment({}));

  const auto first = prepare_development(*folder, /*unix_time=*/0);
  const auto second = prepare_development(*folder, /*unix_time=*/0);

  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->pin, second->pin);
  EXPECT_EQ(first->token, second->token);
  EXPECT_EQ(first->secret, second->secret);
}

TEST(StateFolder, ACertificateThatEndsWithinADayIsReplacedAndTheTokenStays) {
  const FolderForTest test;
  const auto folder = StateFolder::locate((test.path() / "state").string(), environment({}));
  const auto first = prepare_development(*folder, /*unix_time=*/0);
  constexpr std::int64_t far_future = 100LL * 365 * 24 * 3600;

  const auto second = prepare_development(*folder, far_future);

  ASSERT_TRUE(first && second);
  EXPECT_NE(first->pin, second->pin);
  EXPECT_EQ(first->token, second->token);
}

TEST(StateFolder, OneThatOthersCanEnterIsRefusedAndNotChanged) {
  const FolderForTest test;
  std::filesystem::permissions(
      test.path(), std::filesystem::perms::owner_all | std::filesystem::perms::group_read);
  const auto folder = StateFolder::locate(test.path().string(), environment({}));

  const auto made = folder->make();

  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ExitCode::kFailed);
  EXPECT_THAT(made.error().text, HasSubstr("chmod 700"));
}

TEST(Context, IsReadAsItWasSaved) {
  const FolderForTest test;
  const Context context = {
      .server = "localhost:5000", .token = "t", .token_file = {}, .ca = {}, .pin = "ab"};

  ASSERT_TRUE(save_context(test.path() / "context.json", context));

  const auto loaded = load_context(test.path() / "context.json");
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ(**loaded, context);
  EXPECT_EQ(permissions(test.path() / "context.json"), kOwnerOnly);
}

TEST(Context, OneThatIsNotThereIsNoError) {
  const FolderForTest test;

  const auto loaded = load_context(test.path() / "context.json");

  ASSERT_TRUE(loaded);
  EXPECT_FALSE(loaded->has_value());
}

TEST(Context, OneThatIsNotUnderstoodIsAnErrorThatNamesTheFile) {
  for (const char* text :
       {"", "[]", "{\"server\": 1}", "{\"sever\": \"a:1\"}", "{\"pin\": \"a\"}"}) {
    const auto context = parse_context(text, "context.json");
    ASSERT_FALSE(context) << text;
    EXPECT_THAT(context.error().text, HasSubstr("context.json"));
  }
}

TEST(Context, NamesCannotLeaveTheFolder) {
  EXPECT_TRUE(is_context_name("office-2.b_c"));
  EXPECT_FALSE(is_context_name(""));
  EXPECT_FALSE(is_context_name("../key"));
  EXPECT_FALSE(is_context_name("a/b"));
}

}  // namespace
}  // namespace orzatty::apps
