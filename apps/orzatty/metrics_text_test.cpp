#include "metrics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace orzatty::apps {
namespace {

using testing::HasSubstr;
using testing::Not;

// Of a server with a rule for each of these, which has accepted seven messages by the first.
Figures seven_accepted_by(std::vector<std::string> patterns) {
  Figures figures;
  figures.patterns = std::move(patterns);
  figures.stats.traffic.resize(figures.patterns.size() + 1);
  figures.stats.traffic[0].accepted = 7;
  return figures;
}

TEST(MetricsText, EveryFigureHasItsTypeAndValue) {
  Figures figures;
  figures.stats.messages_in = 42;
  figures.stats.handed_over = 41;
  figures.certificate_expires = 1'800'000'000;

  const std::string text = metrics_text(figures);

  EXPECT_THAT(text, HasSubstr("# TYPE orzatty_received_messages_total counter\n"
                              "orzatty_received_messages_total 42\n"));
  EXPECT_THAT(text, HasSubstr("\norzatty_handed_over_messages_total 41\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE orzatty_connections gauge\norzatty_connections 0\n"));
  EXPECT_THAT(text, HasSubstr("\norzatty_certificate_expiry_timestamp_seconds 1800000000\n"));
}

TEST(MetricsText, TrafficIsToldByTheRulesOfTheConfigurationAndTheRestTogether) {
  Figures figures = seven_accepted_by({"quotes.>", "chat.*"});
  figures.stats.traffic[1].missed[static_cast<std::size_t>(GapReason::kSlow)] = 8;
  figures.stats.traffic[2].delivered_bytes = 9;

  const std::string text = metrics_text(figures);

  EXPECT_THAT(text, HasSubstr("\norzatty_accepted_messages_total{channels=\"quotes.>\"} 7\n"));
  EXPECT_THAT(
      text, HasSubstr("\norzatty_missed_messages_total{channels=\"chat.*\",reason=\"slow\"} 8\n"));
  EXPECT_THAT(text, HasSubstr("\norzatty_delivered_bytes_total{channels=\"(others)\"} 9\n"));
}

TEST(MetricsText, EverySeriesIsThereBeforeTheServerRuns) {
  const auto server =
      Server::bind("127.0.0.1:0", {.certificate = *Certificate::self_signed(),
                                   .authenticate = tokens({"token"}),
                                   .channels = {{*ChannelPattern::parse("quotes.>"), {}}}});
  ASSERT_TRUE(server) << server.error().text;

  const std::string text = metrics_text({.stats = server->stats(), .patterns = {"quotes.>"}});

  EXPECT_THAT(text, HasSubstr("\norzatty_delivered_messages_total{channels=\"quotes.>\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\norzatty_delivered_messages_total{channels=\"(others)\"} 0\n"));
}

TEST(MetricsText, APatternIsEscapedAndOneThatIsThereTwiceIsToldOnce) {
  const std::string text = metrics_text(seven_accepted_by({"a\"b\\c", "a\"b\\c"}));

  const std::string line = "\norzatty_accepted_messages_total{channels=\"a\\\"b\\\\c\"} 7\n";
  EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text.substr(text.find(line) + line.size()),
              Not(HasSubstr("orzatty_accepted_messages_total{channels=\"a")));
}

TEST(MetricsText, RejectionsAreToldByCodeFromTheBeginning) {
  Figures figures;
  figures.stats.rejected_by[static_cast<std::size_t>(ErrorCode::kFenced)] = 5;

  const std::string text = metrics_text(figures);

  EXPECT_THAT(text, HasSubstr("\norzatty_rejected_messages_total{code=\"FENCED\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("\norzatty_rejected_messages_total{code=\"OVERLOADED\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("UNKNOWN")));
}

TEST(MetricsText, SessionsThatEndedAreCountedByTheirCode) {
  EventCounts counts;
  counts.count({ServerEvent::Kind::kPeerJoined, "alice", ""});
  counts.count({ServerEvent::Kind::kPeerLeft, "alice", "CLOSED_BY_USER"});
  counts.count({ServerEvent::Kind::kPeerLeft, "bob", "CLOSED_BY_USER"});
  counts.count({ServerEvent::Kind::kPeerRefused, "", "unknown token"});

  const std::string text = metrics_text({.stats = {}, .events = counts.counted()});

  EXPECT_THAT(text, HasSubstr("\norzatty_sessions_opened_total 1\n"));
  EXPECT_THAT(text, HasSubstr("\norzatty_sessions_ended_total{code=\"CLOSED_BY_USER\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\norzatty_refusals_total{reason=\"authentication\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("alice")));
}

}  // namespace
}  // namespace orzatty::apps
