#include "net/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orzatty::net {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

base::Address address(std::string_view text) { return base::Address::parse(text).value(); }

TEST(Resolver, TakesNumericAddressesAsTheyStand) {
  for (const std::string_view text :
       {"127.0.0.1:5000", "[::1]:5000", "[2001:db8::7]:1", "10.0.0.1:65535", "0.0.0.0:0"}) {
    const auto addresses = resolve(text);
    ASSERT_TRUE(addresses) << addresses.error().text;
    EXPECT_EQ(*addresses, std::vector{address(text)}) << text;
  }
}

TEST(Resolver, KnowsLocalhostWithoutAnybodysHostsFile) {
  const auto addresses = resolve("localhost:5000");

  ASSERT_TRUE(addresses) << addresses.error().text;
  ASSERT_FALSE(addresses->empty());
  EXPECT_EQ(addresses->front(), address("127.0.0.1:5000"));
  for (const base::Address& other : *addresses) {
    EXPECT_THAT(other, ::testing::AnyOf(address("127.0.0.1:5000"), address("[::1]:5000")));
  }
}

struct Refusal {
  std::string_view text;
  const char* reason;
};

TEST(Resolver, SaysWhatIsWrongWithAnAddress) {
  for (const auto& [text, reason] : std::initializer_list<Refusal>{
           {"localhost", "has no port"},
           {"", "has no port"},
           {"[::1]", "has no port"},
           {"localhost:", "has no valid port"},
           {"localhost:65536", "has no valid port"},
           {"localhost:-1", "has no valid port"},
           {"localhost:5000x", "has no valid port"},
           {"localhost:quic", "has no valid port"},
           {":5000", "has no host"},
           {"[]:5000", "has no host"},
           {"::1:5000", "needs brackets"},
       }) {
    const auto addresses = resolve(text);
    ASSERT_FALSE(addresses) << text;
    EXPECT_THAT(addresses.error().text, HasSubstr(reason)) << text;
    EXPECT_THAT(addresses.error().text, HasSubstr(std::string(text)));
    EXPECT_EQ(addresses.error().kind, ErrorKind::kArgument);
  }
}

TEST(Resolver, NamesAHostThatItCannotFind) {
  const auto addresses = resolve("no-such-host.invalid:5000");

  ASSERT_FALSE(addresses);
  EXPECT_THAT(addresses.error().text, HasSubstr("no-such-host.invalid"));
  EXPECT_EQ(addresses.error().kind, ErrorKind::kIo);
}

}  // namespace
}  // namespace orzatty::net
