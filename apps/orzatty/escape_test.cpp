#include "escape.h"

#include <gtest/gtest.h>

#include "event_log.h"

namespace orzatty::apps {
namespace {

TEST(Escaped, PlainTextAndUmlautsStandAsTheyAre) {
  EXPECT_EQ(escaped("line 1, äöü €"), "line 1, äöü €");
}

TEST(Escaped, ControlCharactersOfAStrangerCannotReachATerminal) {
  EXPECT_EQ(escaped("a\nb\x1b[31m\x7f\r\t"), "a\\nb\\x1b[31m\\x7f\\r\\t");
}

TEST(Escaped, C1ControlsThatAreValidUtf8AreEscapedToo) {
  EXPECT_EQ(escaped("\xc2\x9b"), "\\xc2\\x9b");
  EXPECT_EQ(escaped("\xc2\xa0"), "\xc2\xa0");  // the first character behind them
}

TEST(Escaped, BytesThatAreNoUtf8AreShownAsNumbers) {
  EXPECT_EQ(escaped("a\xff\xc3"), "a\\xff\\xc3");
}

TEST(LogLine, PlainValuesNeedNoQuotes) {
  EXPECT_EQ(LogLine().add("event", "peer_joined").add("identity", "dev").text(),
            "event=peer_joined identity=dev");
}

TEST(LogLine, ValuesWithSpacesQuotesOrNothingAreQuoted) {
  EXPECT_EQ(LogLine().add("text", "it is \"so\"").text(), "text=\"it is \\\"so\\\"\"");
  EXPECT_EQ(LogLine().add("text", "").text(), "text=\"\"");
  EXPECT_EQ(LogLine().add("text", "a=b").text(), "text=\"a=b\"");
}

TEST(LogLine, ALineBreakInAValueCannotForgeALine) {
  EXPECT_EQ(LogLine().add("identity", "x\nlevel=info").text(), "identity=\"x\\nlevel=info\"");
}

TEST(LogLine, AnEventHasItsTimeLevelAndName) {
  const ServerEvent event{
      .kind = ServerEvent::Kind::kPeerRefused, .identity = {}, .text = "unknown token"};

  EXPECT_EQ(log_line(event, 0),
            "time=1970-01-01T00:00:00Z level=warn event=peer_refused text=\"unknown token\"");
}

}  // namespace
}  // namespace orzatty::apps
