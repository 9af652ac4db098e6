#include "metrics_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orzatty::apps {
namespace {

using testing::HasSubstr;

MetricsPages pages_of(Readiness readiness, std::vector<std::string> hosts = {}) {
  return {{.metrics = [] { return std::string("x 1\n"); },
           .readiness = [readiness] { return readiness; }},
          std::move(hosts)};
}

int status(const MetricsPages& pages, std::string_view host) {
  return pages.answer({.method = "GET", .path = "/metrics", .host = host}).status;
}

TEST(MetricsPages, TheMetricsAreGivenInTheFormatOfPrometheus) {
  const HttpAnswer answer = pages_of(Readiness::kReady)
                                .answer({.method = "GET", .path = "/metrics", .host = "localhost"});

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(answer.body, "x 1\n");
}

TEST(MetricsPages, AServerIsReadyBetweenItsStartAndItsEndAndHealthyAllTheTime) {
  const auto ready = [](Readiness readiness) {
    return pages_of(readiness).answer({.method = "GET", .path = "/readyz", .host = "localhost"});
  };
  EXPECT_EQ(ready(Readiness::kStarting).status, 503);
  EXPECT_EQ(ready(Readiness::kStarting).body, "starting\n");
  EXPECT_EQ(ready(Readiness::kReady).status, 200);
  EXPECT_EQ(ready(Readiness::kDraining).status, 503);
  EXPECT_EQ(ready(Readiness::kDraining).body, "draining\n");
  EXPECT_EQ(pages_of(Readiness::kDraining)
                .answer({.method = "GET", .path = "/healthz", .host = "localhost"})
                .status,
            200);
}

TEST(MetricsPages, AnotherPathOrMethodIsToldWhatThereIs) {
  const MetricsPages pages = pages_of(Readiness::kReady);

  const HttpAnswer other = pages.answer({.method = "GET", .path = "/", .host = "localhost"});
  EXPECT_EQ(other.status, 404);
  EXPECT_THAT(other.body, HasSubstr("/metrics"));

  const HttpAnswer post = pages.answer({.method = "POST", .path = "/metrics", .host = "localhost"});
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(pages.answer({.method = "HEAD", .path = "/metrics", .host = "localhost"}).status, 200);
}

TEST(MetricsPages, AreForWhoeverAsksByLoopbackByTheAddressListenedOnOrByANameGiven) {
  const MetricsPages pages = pages_of(Readiness::kReady, {"192.0.2.7", "hub.example"});

  for (const char* host : {"localhost", "LocalHost:9464", "127.0.0.1:9464", "[::1]:9464", "[::1]",
                           "192.0.2.7:9464", "hub.example", "HUB.example:80"}) {
    EXPECT_EQ(status(pages, host), 200) << host;
  }
  for (const char* host : {"", ":", "[", "evil.example", "localhost.evil.example", "192.0.2.8:9464",
                           "127.0.0.1.evil.example", "xlocalhost", "[::1"}) {
    EXPECT_EQ(status(pages, host), 421) << host;
  }
}

TEST(MetricsPages, OfAServerOnEveryAddressAreForAnyAddressButNoOtherName) {
  for (const char* any : {"0.0.0.0", "[::]"}) {
    const MetricsPages pages = pages_of(Readiness::kReady, {any});
    EXPECT_EQ(status(pages, "192.0.2.8:9464"), 200);
    EXPECT_EQ(status(pages, "[2001:db8::1]"), 200);
    EXPECT_EQ(status(pages, "evil.example"), 421);
    EXPECT_EQ(status(pages, "1.evil.example:80"), 421);
  }
}

TEST(MetricsPages, WhoeverAsksByAnotherNameLearnsNothingButHowToBeLetIn) {
  const HttpAnswer answer =
      pages_of(Readiness::kReady)
          .answer({.method = "GET", .path = "/metrics", .host = "evil.example"});

  EXPECT_THAT(answer.body, HasSubstr("--metrics-host"));
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("x 1")));
}

}  // namespace
}  // namespace orzatty::apps
