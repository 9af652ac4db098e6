#include "metrics_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace orzatty::apps {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Result<std::unique_ptr<MetricsEndpoint>> endpoint_at(std::string_view address) {
  return MetricsEndpoint::open(
      address, {},
      {.metrics = [] { return std::string(); }, .readiness = [] { return Readiness::kReady; }});
}

TEST(MetricsEndpoint, OpensAndClosesAgainAtAFreePort) {
  const auto endpoint = endpoint_at("127.0.0.1:0");

  ASSERT_TRUE(endpoint) << endpoint.error().text;
  EXPECT_THAT((*endpoint)->addresses().at(0), StartsWith("127.0.0.1:"));
  EXPECT_NE((*endpoint)->addresses().at(0), "127.0.0.1:0");
}

TEST(MetricsEndpoint, ItsEndDoesNotWaitUntilItsThreadsLookUpByThemselves) {
  auto shortest = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 3; ++i) {  // on a busy machine one of them may take long
    auto endpoint = endpoint_at("127.0.0.1:0");
    ASSERT_TRUE(endpoint) << endpoint.error().text;

    const auto begin = std::chrono::steady_clock::now();
    endpoint->reset();
    shortest = std::min(shortest, std::chrono::steady_clock::now() - begin);
  }

  EXPECT_LT(shortest, std::chrono::seconds(1));
}

TEST(MetricsEndpoint, APortInUseIsAnErrorThatNamesItAndTheOption) {
  const auto first = endpoint_at("127.0.0.1:0");
  const std::string address = (*first)->addresses().at(0);

  const auto second = endpoint_at(address);

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ExitCode::kFailed);
  EXPECT_THAT(second.error().text, HasSubstr("metrics at " + address));
  EXPECT_THAT(second.error().text, HasSubstr("in use"));
  EXPECT_THAT(second.error().text, HasSubstr("--metrics"));
}

TEST(MetricsEndpoint, AnAddressThatIsNoneIsAnErrorOfUsage) {
  const auto endpoint = endpoint_at("nowhere");

  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, ExitCode::kUsage);
}

}  // namespace
}  // namespace orzatty::apps
