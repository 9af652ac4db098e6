#include "quic/digest.h"

#include <gtest/gtest.h>

#include <string>

#include "quic/credentials.h"

namespace orzatty::quic {
namespace {

// The examples of FIPS 180-4.
TEST(Digest, OfNothingAndOfShortTextIsThatOfTheStandard) {
  Digest digest;
  EXPECT_EQ(hex(digest.value()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

  digest.add(bytes_of("abc"));

  EXPECT_EQ(hex(digest.value()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, DoesNotDependOnHowTheBytesAreCutNorOnBeingAskedBetween) {
  const std::string text(1'000'000, 'a');
  for (const std::size_t cut : {1'000'000UL, 64UL, 1000UL, 1UL << 16}) {
    Digest digest;
    for (std::size_t at = 0; at < text.size(); at += cut) {
      digest.add(bytes_of(std::string_view(text).substr(at, cut)));
      if (at == 0) (void)digest.value();
    }

    EXPECT_EQ(hex(digest.value()),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}

}  // namespace
}  // namespace orzatty::quic
