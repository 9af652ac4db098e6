#include "connection_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "folder_for_test.h"

namespace orzatty::apps {
namespace {

using testing::HasSubstr;

const std::string kPin(64, 'a');

class ConnectionOptionsTest : public testing::Test {
 protected:
  ConnectionOptionsTest() { options_.state = folder_.path().string(); }

  void save(const Context& context) {
    ASSERT_TRUE(save_context(folder_.path() / "context.json", context));
  }
  [[nodiscard]] Result<Target> target() const {
    return target_of(options_, [this](const char* name) {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::string() : found->second;
    });
  }

  FolderForTest folder_;
  ConnectionOptions options_;
  std::map<std::string, std::string> environment_;
};

TEST_F(ConnectionOptionsTest, TheContextOfTheStateFolderIsFoundByItself) {
  save({.server = "localhost:5000", .token = "t", .token_file = {}, .ca = {}, .pin = kPin});

  const auto found = target();

  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->server, "localhost:5000");
  EXPECT_EQ(found->token, "t");
  EXPECT_EQ(found->trust.kind, Trust::Kind::kPin);
  EXPECT_EQ(found->trust.pin, kPin);
}

TEST_F(ConnectionOptionsTest, TheEnvironmentCountsBeforeTheContextAndTheCommandLineBeforeBoth) {
  save(
      {.server = "localhost:5000", .token = "of context", .token_file = {}, .ca = {}, .pin = kPin});
  environment_ = {{"ORZATTY_TOKEN", "of environment"}};

  EXPECT_EQ(target()->token, "of environment");
  options_.token = "of command line";
  EXPECT_EQ(target()->token, "of command line");
}

TEST_F(ConnectionOptionsTest, AnotherServerIsNotShownTheContextsToken) {
  save({.server = "localhost:5000", .token = "t", .token_file = {}, .ca = {}, .pin = kPin});
  options_.server = "example.org:5000";

  const auto found = target();

  ASSERT_TRUE(found);
  EXPECT_EQ(found->token, "");
  EXPECT_EQ(found->trust.kind, Trust::Kind::kSystem);
}

TEST_F(ConnectionOptionsTest, InsecureIsNotNarrowedByThePinOfTheContext) {
  save({.server = "localhost:5000", .token = "t", .token_file = {}, .ca = {}, .pin = kPin});
  options_.insecure = true;

  EXPECT_EQ(target()->trust.kind, Trust::Kind::kAnyone);
  EXPECT_EQ(target()->token, "t");
}

TEST_F(ConnectionOptionsTest, WithoutAnyServerItIsAUsageErrorThatTellsHowToGetOne) {
  const auto found = target();

  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ExitCode::kUsage);
  EXPECT_THAT(found.error().text, HasSubstr("orzatty serve --dev"));
}

TEST_F(ConnectionOptionsTest, ATokenIsReadFromItsFileWithoutTheNewline) {
  std::ofstream(folder_.path() / "a.token") << "secret\n";
  options_.server = "a:1";
  options_.token_file = (folder_.path() / "a.token").string();

  EXPECT_EQ(target()->token, "secret");
}

TEST_F(ConnectionOptionsTest, ContradictionsOfOneSourceAreUsageErrors) {
  options_.server = "a:1";
  options_.pin = kPin;
  options_.insecure = true;
  EXPECT_EQ(target().error().code, ExitCode::kUsage);

  options_.insecure = false;
  options_.token = "a";
  options_.token_file = "b";
  EXPECT_EQ(target().error().code, ExitCode::kUsage);
}

TEST_F(ConnectionOptionsTest, APinWithTooFewDigitsIsAUsageError) {
  options_.server = "a:1";
  options_.pin = kPin.substr(1);

  EXPECT_EQ(target().error().code, ExitCode::kUsage);
}

TEST_F(ConnectionOptionsTest, AMissingNamedContextIsAUsageError) {
  options_.context = "office";

  EXPECT_THAT(target().error().text, HasSubstr("'office'"));
  EXPECT_EQ(target().error().code, ExitCode::kUsage);
}

}  // namespace
}  // namespace orzatty::apps
