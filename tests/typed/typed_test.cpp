#include "orzatty/typed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "game_typed.h"
#include "market_typed.h"
#include "session/counted_allocations_for_test.h"
#include "wire/message.h"

namespace orzatty {
namespace {

flatbuffers::FlatBufferBuilder book_of(std::size_t levels) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<market::Level> bids;
  for (std::size_t i = 0; i < levels; ++i) bids.emplace_back(100.0 - static_cast<double>(i), 1.5);
  builder.Finish(market::CreateBookDirect(builder, "AAPL", market::Side::Buy, &bids, &bids));
  return builder;
}

game::PlayerUpdate player() {
  constexpr std::array<float, 3> velocity = {0.5F, 100.0F, -0.125F};
  return {0x01020304, 1.5F, -2.25F, flatbuffers::make_span(velocity), 0x7f};
}

// A message as it stands in a packet, its payload at any distance from an aligned address.
class Framed {
 public:
  explicit Framed(const Payload& payload, std::size_t shift = 0) {
    std::array<std::byte, wire::kMessageHeaderSizeMax> header;
    const MessageAttributes attributes = payload.attributes().value_or(MessageAttributes());
    const std::size_t size = wire::encode_message_header(header, payload.type(), attributes,
                                                         payload.bytes().size());
    memory_.resize((size + payload.bytes().size()) / sizeof(std::uint64_t) + 3);
    auto* const aligned = reinterpret_cast<std::byte*>(memory_.data());
    const std::size_t begin = (sizeof(std::uint64_t) - size % sizeof(std::uint64_t) + shift);
    std::memcpy(aligned + begin, header.data(), size);
    std::ranges::copy(payload.bytes(), aligned + begin + size);  // there may be none
    frame_ = BytesView(aligned + begin, size + payload.bytes().size());
  }
  [[nodiscard]] Message message() const {
    const wire::MessageView view = *wire::MessageRange(frame_).begin();
    return {view.type, view.payload, "channel", "alice", Offset(0), view.attribute_block()};
  }

 private:
  std::vector<std::uint64_t> memory_;
  BytesView frame_;
};

template <class T>
std::optional<TypedFault> fault_of(const Message& message) {
  const auto view = as<T>(message);
  return view ? std::nullopt : std::optional(view.error());
}

TEST(Typed, AStructIsReadInPlaceWhereItIsAlignedAndElsewhereFromACopy) {
  const game::PlayerUpdate sent = player();
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const Framed framed(typed(sent), shift);

    const auto got = as<game::PlayerUpdate>(framed.message());

    ASSERT_TRUE(got);
    EXPECT_EQ(got->in_place(), shift % alignof(game::PlayerUpdate) == 0) << shift;
    EXPECT_EQ((*got)->id(), 0x01020304U);
    EXPECT_EQ((*got)->y(), -2.25F);
    EXPECT_EQ((*got)->velocity()->Get(2), -0.125F);
    EXPECT_EQ((*got)->status(), 0x7f);
  }
}

TEST(Typed, AStructHasExactlyItsSize) {
  const game::PlayerUpdate sent = player();
  const BytesView bytes = std::as_bytes(std::span(&sent, 1));
  Bytes longer = copy_of(bytes);
  longer.push_back({});
  const MessageAttributes attributes{.schema = SchemaOf<game::PlayerUpdate>::id};

  for (const BytesView wrong : {BytesView(), bytes.first(bytes.size() - 1), BytesView(longer)}) {
    const Framed framed(Payload::typed(wrong).with(attributes));
    EXPECT_EQ(fault_of<game::PlayerUpdate>(framed.message()), TypedFault::kMalformed);
  }
}

TEST(Typed, ATableIsReadAtAnyAlignment) {
  const auto builder = book_of(20);
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const Framed framed(typed<market::Book>(builder), shift);

    const auto book = as<market::Book>(framed.message());

    ASSERT_TRUE(book);
    EXPECT_EQ(book->in_place(), shift == 0);
    EXPECT_EQ((*book)->symbol()->string_view(), "AAPL");
    EXPECT_EQ((*book)->side(), market::Side::Buy);
    ASSERT_EQ((*book)->bids()->size(), 20U);
    EXPECT_EQ((*book)->bids()->Get(19)->price(), 81.0);
  }
}

// Reads all that a view offers: the address sanitizer sees a step outside.
double read_all(const market::Book& book) {
  double sum = static_cast<double>(book.symbol()->size());
  for (const char letter : book.symbol()->string_view()) sum += letter;
  for (const auto* side : {book.bids(), book.asks()}) {
    if (side == nullptr) continue;
    for (const market::Level* level : *side) sum += level->price() + level->quantity();
  }
  return sum;
}

TEST(Typed, WhateverBitsAreTurnedAViewIsMalformedOrCanBeReadWhole) {
  const auto builder = book_of(3);
  const Payload payload = typed<market::Book>(builder);
  Bytes bytes = copy_of(payload.bytes());
  std::size_t malformed = 0;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const Framed framed(Payload::typed(bytes).with(*payload.attributes()), bit % 8);
    if (const auto book = as<market::Book>(framed.message())) {
      static_cast<void>(read_all(**book));
    } else {
      ++malformed;
    }
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
  EXPECT_GT(malformed, 100U);
}

TEST(Typed, ATableThatIsCutAnywhereIsMalformedOrCanBeReadWhole) {
  const auto builder = book_of(3);
  const Payload payload = typed<market::Book>(builder);
  for (std::size_t size = 0; size < payload.bytes().size(); ++size) {
    const Framed framed(Payload::typed(payload.bytes().first(size)).with(*payload.attributes()));
    if (const auto book = as<market::Book>(framed.message())) static_cast<void>(read_all(**book));
    if (size < 8) {
      EXPECT_EQ(fault_of<market::Book>(framed.message()), TypedFault::kMalformed);
    }
  }
}

TEST(Typed, BytesAndTextAreNoTypedMessages) {
  const MessageAttributes attributes{.schema = SchemaOf<market::Book>::id};

  EXPECT_EQ(fault_of<market::Book>(Framed(Payload("raw").with(attributes)).message()),
            TypedFault::kNotTyped);
  EXPECT_EQ(fault_of<market::Book>(Framed(Payload::text("text").with(attributes)).message()),
            TypedFault::kNotTyped);
}

TEST(Typed, AnotherSchemaOrNoneIsToldApartBeforeAnythingIsRead) {
  const market::Level level(1.0, 2.0);

  EXPECT_EQ(fault_of<market::Book>(Framed(typed(level)).message()), TypedFault::kOtherSchema);
  EXPECT_EQ(fault_of<market::Level>(Framed(Payload::typed(bytes_of("?"))).message()),
            TypedFault::kOtherSchema);
  EXPECT_EQ(fault_of<market::Level>(Framed(typed(level)).message()), std::nullopt);
}

TEST(Typed, TwoViewsAtOnceEachHaveTheirOwnCopy) {
  const auto first = book_of(1);
  const auto second = book_of(2);
  const Framed one(typed<market::Book>(first), 1);
  const Framed two(typed<market::Book>(second), 1);

  const auto a = as<market::Book>(one.message());
  const auto b = as<market::Book>(two.message());

  EXPECT_EQ((*a)->bids()->size(), 1U);
  EXPECT_EQ((*b)->bids()->size(), 2U);
}

TEST(Typed, ReadingAllocatesNothingOnceTheLargestMessageWasRead) {
  const auto builder = book_of(100);
  const Framed framed(typed<market::Book>(builder), 3);
  static_cast<void>(as<market::Book>(framed.message()));

  const std::size_t before = session::test::allocation_count;
  double sum = 0;
  for (int i = 0; i < 1000; ++i) sum += read_all(**as<market::Book>(framed.message()));

  EXPECT_EQ(session::test::allocation_count, before);
  EXPECT_GT(sum, 0);
}

TEST(Typed, EachFaultHasAName) {
  EXPECT_EQ(name(TypedFault::kNotTyped), "not a typed message");
  EXPECT_EQ(name(TypedFault::kOtherSchema), "of another schema");
  EXPECT_EQ(name(TypedFault::kMalformed), "malformed");
}

}  // namespace
}  // namespace orzatty
