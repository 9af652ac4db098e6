#include "metrics_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics_text.h"

namespace orzatty::apps {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string answer(std::string_view line) {
  return http_answer(line, [] { return std::string("x 1\n"); });
}

TEST(MetricsEndpoint, TheMetricsAreGivenWithTheirLengthAndFormat) {
  EXPECT_THAT(answer("GET /metrics HTTP/1.1"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer("GET /metrics?a=b HTTP/1.1"), HasSubstr("version=0.0.4"));
  EXPECT_THAT(answer("GET /metrics HTTP/1.1"), HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(answer("GET /metrics HTTP/1.1"), EndsWith("\r\n\r\nx 1\n"));
}

TEST(MetricsEndpoint, AnythingElseIsToldByItsStatus) {
  EXPECT_THAT(answer("GET /healthz HTTP/1.1"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer("GET / HTTP/1.1"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(answer("POST /metrics HTTP/1.1"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer(""), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer("GET"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer("GET /metrics"), StartsWith("HTTP/1.1 400 "));
}

TEST(MetricsEndpoint, OpensAndClosesAgainAtAFreePort) {
  const auto endpoint = MetricsEndpoint::open("127.0.0.1:0", [] { return std::string(); });

  ASSERT_TRUE(endpoint) << endpoint.error().text;
  EXPECT_THAT((*endpoint)->addresses().at(0), StartsWith("127.0.0.1:"));
}

TEST(MetricsEndpoint, APortInUseIsAnErrorThatNamesItAndTheOption) {
  const auto first = MetricsEndpoint::open("127.0.0.1:0", [] { return std::string(); });
  const std::string address = (*first)->addresses().at(0);

  const auto second = MetricsEndpoint::open(address, [] { return std::string(); });

  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text, HasSubstr(address));
  EXPECT_THAT(second.error().text, HasSubstr("--metrics"));
}

TEST(MetricsText, EveryCounterHasItsTypeAndValue) {
  ServerStats stats;
  stats.messages_in = 42;

  const std::string text = metrics_text(stats);

  EXPECT_THAT(text, HasSubstr("# TYPE orzatty_messages_in_total counter\n"
                              "orzatty_messages_in_total 42\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE orzatty_connections gauge\norzatty_connections 0\n"));
}

}  // namespace
}  // namespace orzatty::apps
