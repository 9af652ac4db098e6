#include "wire/reader.h"

#include <gtest/gtest.h>

#include "wire/frame.h"
#include "wire/test_bytes.h"

namespace orzatty::wire {
namespace {

using test::bytes;

ErrorCode fault_of(Reader& reader) {
  const auto done = reader.finish();
  return done ? ErrorCode::kNone : done.error().code;
}

// spec: FRAME-7
TEST(Reader, ABodyThatEndsInsideAFieldIsTruncatedAndOneThatGoesOnIsMalformed) {
  const Bytes two = bytes({1, 2});
  Reader exact(two, "TEST");
  exact.read_varint();
  exact.read_varint();
  Reader longer(two, "TEST");
  longer.read_varint();
  Reader shorter(two, "TEST");
  shorter.read_u32();

  EXPECT_EQ(fault_of(exact), ErrorCode::kNone);
  EXPECT_EQ(fault_of(longer), ErrorCode::kFrameMalformed);
  EXPECT_EQ(fault_of(shorter), ErrorCode::kFrameTruncated);
}

TEST(Reader, TheFirstFaultIsTheOneThatIsReported) {
  const Bytes body = bytes({0x40, 0x01, 0xff});
  Reader reader(body, "TEST");

  EXPECT_EQ(reader.read_varint(), 0U);  // not minimal
  EXPECT_EQ(reader.read_u64(), 0U);     // nothing is left
  EXPECT_TRUE(reader.read_text(9).empty());
  const auto done = reader.finish();

  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), (ProtocolError{ErrorCode::kVarintNotMinimal, "TEST"}));
}

// spec: CONTROL-2
TEST(Reader, ATextOfTheLargestSizePassesAndOneByteMoreIsTooLarge) {
  Bytes body = bytes({0x40, 0xff});
  body.insert(body.end(), 256, std::byte{'a'});
  Reader fits(BytesView(body).first(257), "TEST");
  EXPECT_EQ(fits.read_text(kAgentSizeMax).size(), 255U);
  EXPECT_EQ(fault_of(fits), ErrorCode::kNone);

  body[0] = std::byte{0x41};
  body[1] = std::byte{0x00};
  Reader too_long(body, "TEST");
  EXPECT_TRUE(too_long.read_text(kAgentSizeMax).empty());
  EXPECT_EQ(fault_of(too_long), ErrorCode::kFrameTooLarge);
}

// spec: CONTROL-2
TEST(Reader, ATextThatIsNotUtf8IsInvalid) {
  const Bytes body = bytes({2, 0xc0, 0x80});
  Reader reader(body, "TEST");
  reader.read_text(9);
  EXPECT_EQ(fault_of(reader), ErrorCode::kTextInvalid);
}

TEST(Reader, ASizeFarBeyondTheBodyIsComparedBeforeItIsNarrowed) {
  const Bytes body = bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'x'});
  Reader reader(body, "TEST");
  EXPECT_TRUE(reader.read_slice(reader.read_varint()).empty());
  EXPECT_EQ(fault_of(reader), ErrorCode::kFrameTruncated);
}

TEST(Reader, AListHasNoMoreItemsThanTheRestCanHold) {
  const Bytes body = bytes({2, 1, 2, 3, 4});
  Reader holds(body, "TEST");
  EXPECT_EQ(holds.read_count(2), 2U);
  EXPECT_TRUE(holds.ok());

  Reader too_many(body, "TEST");
  EXPECT_EQ(too_many.read_count(3), 0U);
  EXPECT_EQ(fault_of(too_many), ErrorCode::kFrameTruncated);
}

// spec: CONTROL-1
TEST(Reader, AnEnumerationTakesItsLastValueAndRefusesTheNext) {
  const Bytes body = bytes({4, 5});
  Reader reader(body, "TEST");
  EXPECT_EQ(reader.read_enum(StartPosition::Kind::kStart), StartPosition::Kind::kStart);
  EXPECT_TRUE(reader.ok());
  reader.read_enum(StartPosition::Kind::kStart);
  EXPECT_EQ(fault_of(reader), ErrorCode::kFrameMalformed);
}

// spec: ERROR-1
TEST(Reader, AnErrorCodeThatNobodyKnowsIsAccepted) {
  const Bytes body = bytes({0x7a, 0xbc});
  Reader reader(body, "TEST");
  EXPECT_EQ(reader.read_error_code(), static_cast<ErrorCode>(0x3abc));
  EXPECT_EQ(fault_of(reader), ErrorCode::kNone);
}

}  // namespace
}  // namespace orzatty::wire
