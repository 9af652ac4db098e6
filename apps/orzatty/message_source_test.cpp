#include "message_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "folder_for_test.h"

namespace orzatty::apps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MessageSourceTest : public testing::Test {
 protected:
  // All messages of a file with these bytes; a failure is the last one, as its text.
  std::vector<std::string> messages(std::string_view bytes, Framing framing) {
    const auto path = folder_.path() / "in";
    std::ofstream(path, std::ios::binary) << bytes;
    auto source = MessageSource::open(path.string(), framing, [](int) { return true; });
    std::vector<std::string> all;
    for (;;) {
      const auto message = source->next();
      if (!message) {
        all.push_back(message.error().text);
        return all;
      }
      if (!*message) return all;
      all.emplace_back(**message);
    }
  }

  FolderForTest folder_;
};

constexpr Framing kLines = {.chunk_size = 0, .message_size_max = 1024};

TEST_F(MessageSourceTest, EveryLineIsAMessageWithoutItsNewline) {
  EXPECT_THAT(messages("a\nbc\n", kLines), ElementsAre("a", "bc"));
}

TEST_F(MessageSourceTest, TheLastLineNeedsNoNewlineAndEmptyLinesAreEmptyMessages) {
  EXPECT_THAT(messages("a\n\n\nb", kLines), ElementsAre("a", "", "", "b"));
  EXPECT_THAT(messages("\n", kLines), ElementsAre(""));
  EXPECT_THAT(messages("", kLines), IsEmpty());
}

TEST_F(MessageSourceTest, LinesThatSpanManyReadsStayWhole) {
  const std::string long_line(700'000, 'x');

  const auto all =
      messages(long_line + "\nshort\n" + long_line, {.chunk_size = 0, .message_size_max = 700'000});

  EXPECT_THAT(all, ElementsAre(long_line, "short", long_line));
}

TEST_F(MessageSourceTest, ALineAboveTheLimitIsAnErrorThatNamesTheLineAndTheLimit) {
  const std::string largest(1024, 'x');

  EXPECT_THAT(messages("a\n" + largest + "\n", kLines), ElementsAre("a", largest));
  EXPECT_THAT(messages("a\n" + largest + "x\nb\n", kLines),
              ElementsAre("a", HasSubstr("line 2 of ")));
  EXPECT_THAT(messages(largest + "x", kLines), ElementsAre(HasSubstr("message_size_max")));
}

TEST_F(MessageSourceTest, AnEndlessLineIsRefusedWithoutReadingItAll) {
  auto source = MessageSource::open("/dev/zero", kLines, [](int) { return true; });

  const auto message = source->next();

  ASSERT_FALSE(message);
  EXPECT_THAT(message.error().text, HasSubstr("message_size_max"));
}

TEST_F(MessageSourceTest, ChunksCutAnyBytesAndTheLastIsTheRest) {
  const std::string bytes("a\0\nb\xff", 5);

  EXPECT_THAT(messages(bytes, {.chunk_size = 2, .message_size_max = 1024}),
              ElementsAre(std::string("a\0", 2), "\nb", "\xff"));
  EXPECT_THAT(messages(bytes, {.chunk_size = 5, .message_size_max = 1024}), ElementsAre(bytes));
}

TEST_F(MessageSourceTest, AWaitThatIsRefusedEndsTheReading) {
  auto source = MessageSource::open("/dev/zero", {.chunk_size = 10, .message_size_max = 10},
                                    [](int) { return false; });

  const auto message = source->next();

  ASSERT_TRUE(message);
  EXPECT_EQ(*message, std::nullopt);
}

TEST_F(MessageSourceTest, AFileThatIsNotThereOrAFolderIsAnErrorThatNamesIt) {
  for (const std::string& path : {std::string("/nonexistent"), folder_.path().string()}) {
    const auto source = MessageSource::open(path, kLines, {});
    ASSERT_FALSE(source) << path;
    EXPECT_EQ(source.error().code, ExitCode::kFailed);
    EXPECT_THAT(source.error().text, HasSubstr(path));
  }
}

}  // namespace
}  // namespace orzatty::apps
