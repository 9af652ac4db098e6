#include "message_text.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <string>

#include "net/file_descriptor.h"

namespace orzatty::apps {
namespace {

// What `style` writes for one message.
std::string written(const MessageText& style, std::string_view payload,
                    const AttributeBlock& attributes = {}) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return "(no pipe)";
  const net::FileDescriptor reader(ends[0]);
  {
    const net::FileDescriptor writer(ends[1]);
    Output output(writer.number());
    style.append(Message(MessageType::kRaw, bytes_of(payload), "a.b", "dev", Offset(7), attributes),
                 output);
    EXPECT_TRUE(output.flush());
  }
  std::array<char, 4096> buffer{};
  const ssize_t size = ::read(reader.number(), buffer.data(), buffer.size());
  return size < 0 ? "(nothing)" : std::string(buffer.data(), static_cast<std::size_t>(size));
}

constexpr auto kText = MessageText::Format::kText;
constexpr auto kShown = MessageText::Channel::kShown;
constexpr auto kHidden = MessageText::Channel::kHidden;
constexpr auto kProgram = MessageText::Reader::kProgram;

TEST(MessageText, TextIsOneLineWithItsChannelWhereThereAreSeveral) {
  EXPECT_EQ(written({kText, kHidden, kProgram}, "hi"), "hi\n");
  EXPECT_EQ(written({kText, kShown, kProgram}, "hi"), "a.b\thi\n");
}

TEST(MessageText, ATerminalIsNotGivenControlCharacters) {
  EXPECT_EQ(written({kText, kHidden, MessageText::Reader::kTerminal}, "\x1b[2J"), "\\x1b[2J\n");
  EXPECT_EQ(written({kText, kHidden, kProgram}, "\x1b[2J"), "\x1b[2J\n");
}

TEST(MessageText, RawAddsNothing) {
  const std::string_view bytes("\0\n", 2);
  EXPECT_EQ(written({MessageText::Format::kRaw, kShown, kProgram}, bytes), bytes);
}

TEST(MessageText, HexHasEveryByte) {
  EXPECT_EQ(written({MessageText::Format::kHex, kHidden, kProgram}, "a\n"), "610a\n");
}

TEST(MessageText, JsonHasTextOrWhereItIsNoneBase64) {
  const MessageText json = {MessageText::Format::kJson, kHidden, kProgram};

  EXPECT_EQ(written(json, "h\"i"), R"({"channel":"a.b","offset":7,"publisher":"dev","text":"h\"i"})"
                                   "\n");
  EXPECT_EQ(written(json, "\xff"),
            R"({"channel":"a.b","offset":7,"publisher":"dev","base64":"/w=="})"
            "\n");
}

TEST(MessageText, JsonShowsTheAttributesThatAMessageHas) {
  const MessageText json = {MessageText::Format::kJson, kHidden, kProgram};
  const Bytes block =
      copy_of(bytes_of(std::string_view("\x01\x01\x05\x03\x01\x07\x05\x04"
                                        "AAPL",
                                        12)));

  EXPECT_EQ(written(json, "17.5", {.bytes = block, .priority = true}),
            R"({"channel":"a.b","offset":7,"publisher":"dev","ttl_ms":5,"timestamp_us":7,)"
            R"("key":"AAPL","priority":true,"text":"17.5"})"
            "\n");
}

TEST(MessageText, AnUnknownFormatIsAUsageError) {
  EXPECT_EQ(parse_format("raw"), MessageText::Format::kRaw);
  EXPECT_EQ(parse_format("xml").error().code, ExitCode::kUsage);
}

TEST(Output, AReaderThatHasGoneIsAQuietFailure) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const net::FileDescriptor writer(ends[1]);
  ::close(ends[0]);
  ::signal(SIGPIPE, SIG_IGN);
  Output to_nobody(writer.number());
  to_nobody.write("x");

  const auto flushed = to_nobody.flush();

  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, ExitCode::kFailed);
  EXPECT_EQ(flushed.error().text, "");
  EXPECT_TRUE(to_nobody.is_broken());
}

}  // namespace
}  // namespace orzatty::apps
