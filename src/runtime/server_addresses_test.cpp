#include "runtime/server_addresses.h"

#include <gtest/gtest.h>

#include <set>

namespace orzatty::runtime {
namespace {

TEST(ServerAddresses, StayWithTheOneThatWorksUntilItFails) {
  auto addresses = ServerAddresses::resolve("localhost:5000");
  ASSERT_TRUE(addresses.has_value()) << addresses.error().text;
  const base::Address first = addresses->current();

  EXPECT_EQ(addresses->current(), first);
  addresses->failed();

  EXPECT_EQ(addresses->current() == first, addresses->count() == 1);
}

TEST(ServerAddresses, AreTriedInTurnAndThenAnew) {
  auto addresses = ServerAddresses::resolve("localhost:5000");
  ASSERT_TRUE(addresses.has_value());
  const base::Address first = addresses->current();
  const std::size_t count = addresses->count();

  std::set<base::Address> tried;
  for (std::size_t i = 0; i < count; ++i) {
    tried.insert(addresses->current());
    addresses->failed();
  }

  EXPECT_EQ(tried.size(), count);
  EXPECT_EQ(addresses->current(), first);
}

TEST(ServerAddresses, OfANumericAddressThereIsOne) {
  auto addresses = ServerAddresses::resolve("[::1]:5000");
  ASSERT_TRUE(addresses.has_value());

  addresses->failed();

  EXPECT_EQ(addresses->count(), 1U);
  EXPECT_EQ(addresses->current(), *base::Address::parse("[::1]:5000"));
}

TEST(ServerAddresses, ANameThatNobodyKnowsIsToldAtOnce) {
  const auto addresses = ServerAddresses::resolve("no-such-host.invalid:5000");

  ASSERT_FALSE(addresses.has_value());
  EXPECT_FALSE(addresses.error().text.empty());
}

}  // namespace
}  // namespace orzatty::runtime
