#include "base/address.h"

#include <gtest/gtest.h>

namespace orzatty::base {
namespace {

std::string reprinted(std::string_view text) {
  const auto address = Address::parse(text);
  return address ? address->text() : "not an address";
}

TEST(Address, AnIpv4TextIsReadIntoNetworkOrderAndPrintedBack) {
  const auto address = Address::parse("127.0.0.1:5000");

  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->family, Address::Family::kIpv4);
  EXPECT_EQ(address->ip[0], std::byte{127});
  EXPECT_EQ(address->ip[3], std::byte{1});
  EXPECT_EQ(address->port, 5000);
  EXPECT_EQ(address->text(), "127.0.0.1:5000");
}

TEST(Address, AnIpv6TextIsPrintedInItsCanonicalForm) {
  EXPECT_EQ(reprinted("[::1]:5000"), "[::1]:5000");
  EXPECT_EQ(reprinted("[::]:0"), "[::]:0");
  EXPECT_EQ(reprinted("[2001:DB8:0:0:1:0:0:1]:443"), "[2001:db8::1:0:0:1]:443");
  EXPECT_EQ(reprinted("[2001:db8:0:1:1:1:1:1]:443"), "[2001:db8:0:1:1:1:1:1]:443");
  EXPECT_EQ(reprinted("[fe80:0:0:0:0:0:0:0]:1"), "[fe80::]:1");
  EXPECT_EQ(reprinted("[1:2:3:4:5:6:7::]:1"), "[1:2:3:4:5:6:7:0]:1");
}

TEST(Address, AnIpv6TextMayEndWithAnIpv4Address) {
  EXPECT_EQ(reprinted("[::ffff:192.0.2.1]:7"), "[::ffff:c000:201]:7");
  EXPECT_EQ(reprinted("[1:2:3:4:5:6:192.0.2.1]:7"), "[1:2:3:4:5:6:c000:201]:7");
}

TEST(Address, TheLargestPortAndOctetPassAndTheNextDoNot) {
  EXPECT_EQ(reprinted("255.255.255.255:65535"), "255.255.255.255:65535");
  EXPECT_FALSE(Address::parse("127.0.0.1:65536"));
  EXPECT_FALSE(Address::parse("127.0.0.256:1"));
}

TEST(Address, WhatIsNotANumericAddressWithAPortIsRefused) {
  for (const char* text : {"",
                           ":",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0:1",
                           "127.0.0.1.1:1",
                           "01.0.0.1:1",
                           "1.2.3.4:01",
                           "localhost:1",
                           "::1:5000",
                           "[::1]",
                           "[::1:5000",
                           "[1::2::3]:1",
                           "[:1]:1",
                           "[1:]:1",
                           "[1:2:3:4:5:6:7:8:9]:1",
                           "[1:2:3:4:5:6:7:8::]:1",
                           "[12345::]:1",
                           "[::g]:1",
                           "[]:1",
                           "[1:2:3:4:5:6:7:192.0.2.1]:1",
                           "[192.0.2.1]:1",
                           "127.0.0.1:-1",
                           "127.0.0.1:+1",
                           " 1.2.3.4:1",
                           "[::1%eth0]:1"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
}

TEST(Address, TwoAddressesAreEqualOnlyWhenFamilyIpAndPortAre) {
  EXPECT_EQ(Address::parse("10.0.0.1:1"), Address::parse("10.0.0.1:1"));
  EXPECT_NE(Address::parse("10.0.0.1:1"), Address::parse("10.0.0.1:2"));
  EXPECT_NE(Address::parse("10.0.0.1:1"), Address::parse("10.0.0.2:1"));
  EXPECT_NE(Address::parse("0.0.0.0:1"), Address::parse("[::]:1"));
}

}  // namespace
}  // namespace orzatty::base
