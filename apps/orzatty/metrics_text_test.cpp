#include "metrics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orzatty::apps {
namespace {

using testing::HasSubstr;

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
