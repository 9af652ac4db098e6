#include "wire/varint.h"

#include <gtest/gtest.h>

#include <array>

#include "wire/test_bytes.h"

namespace orzatty::wire {
namespace {

Bytes encoded(std::uint64_t value) {
  std::array<std::byte, kVarintSizeMax> out;
  return copy_of(BytesView(out).first(encode_varint(out, value)));
}

TEST(Varint, TheExamplesOfRfc9000AreEncodedAsPrinted) {
  EXPECT_EQ(encoded(37), test::bytes({0x25}));
  EXPECT_EQ(encoded(15'293), test::bytes({0x7b, 0xbd}));
  EXPECT_EQ(encoded(494'878'333), test::bytes({0x9d, 0x7f, 0x3e, 0x7d}));
  EXPECT_EQ(encoded(151'288'809'941'952'652),
            test::bytes({0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c}));
}

TEST(Varint, ItGrowsExactlyWhereTheNextSizeBegins) {
  for (const auto& [value, size] : {std::pair{63ULL, 1U},
                                    {64, 2},
                                    {16'383, 2},
                                    {16'384, 4},
                                    {(1ULL << 30) - 1, 4},
                                    {1ULL << 30, 8},
                                    {kVarintMax, 8}}) {
    const Bytes bytes = encoded(value);
    const DecodedVarint decoded = decode_varint(bytes);

    EXPECT_EQ(bytes.size(), size) << value;
    EXPECT_EQ(varint_size(value), size) << value;
    EXPECT_EQ(decoded.value, value);
    EXPECT_EQ(decoded.size, size);
    EXPECT_TRUE(decoded.minimal);
  }
}

// spec: FRAME-1
TEST(Varint, ALongerFormThanNeededIsNotMinimal) {
  EXPECT_FALSE(decode_varint(test::bytes({0x40, 0x3f})).minimal);
  EXPECT_FALSE(decode_varint(test::bytes({0x80, 0, 0x3f, 0xff})).minimal);
  EXPECT_FALSE(decode_varint(test::bytes({0xc0, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff})).minimal);
  EXPECT_TRUE(decode_varint(test::bytes({0x40, 0x40})).minimal);
}

TEST(Varint, EveryCutEndsInsideIt) {
  for (const std::uint64_t value : {1ULL, 64ULL, 16'384ULL, 1ULL << 30}) {
    const Bytes bytes = encoded(value);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(decode_varint(BytesView(bytes).first(size)).size, 0U);
    }
  }
}

}  // namespace
}  // namespace orzatty::wire
