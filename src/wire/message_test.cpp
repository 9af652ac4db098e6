#include "wire/message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "wire/attributes.h"
#include "wire/test_bytes.h"

namespace orzatty::wire {
namespace {

using test::bytes;

constexpr std::uint32_t kSizeMax = 1024 * 1024;

void add(Bytes& out, std::uint8_t head, BytesView body) {
  std::array<std::byte, 16> header;
  const std::size_t size = encode_message_header(header, MessageType::kRaw, body.size());
  header[0] = static_cast<std::byte>(head);
  test::append(out, BytesView(header).first(size));
  test::append(out, body);
}

Bytes message(std::uint8_t head, BytesView body) {
  Bytes out;
  add(out, head, body);
  return out;
}

ErrorCode fault_of(BytesView frames, std::uint32_t size_max = kSizeMax) {
  const MessageScan scan = scan_messages(frames, size_max);
  return scan.fault ? scan.fault->code : ErrorCode::kNone;
}

TEST(MessageHeader, APlainMessageCostsTwoOrThreeBytes) {
  std::array<std::byte, 16> out;
  EXPECT_EQ(encode_message_header(out, MessageType::kText, 63), 2U);
  EXPECT_EQ(encode_message_header(out, MessageType::kText, 64), 3U);
  EXPECT_EQ(encode_message_header(out, MessageType::kText, 16'383), 3U);
  EXPECT_EQ(encode_message_header(out, MessageType::kText, 16'384), 5U);
}

TEST(MessageHeader, InAWordItIsTheSameUpToTheLargestShortPayload) {
  for (const MessageType type : {MessageType::kRaw, MessageType::kTyped, MessageType::kText}) {
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{63}, std::uint64_t{64},
                                     std::uint64_t{255}, std::uint64_t{256}, kShortPayloadMax}) {
      std::array<std::byte, 16> spelled;
      const std::size_t spelled_size = encode_message_header(spelled, type, size);
      const base::ShortHeader header = short_message_header(type, size);
      std::array<std::byte, base::ShortHeader::kSizeMax> word;
      std::memcpy(word.data(), &header.bytes, word.size());
      ASSERT_EQ(header.size, spelled_size) << size;
      EXPECT_TRUE(std::ranges::equal(BytesView(word).first(header.size),
                                     BytesView(spelled).first(spelled_size)))
          << size;
    }
  }
}

TEST(ScanMessages, WholeFramesAreCountedAndTheBeginningOfTheNextIsLeft) {
  Bytes frames;
  std::vector<std::size_t> ends{0};
  for (const std::size_t size : {0U, 1U, 63U, 64U, 200U, 5U, 16'384U, 2U}) {
    add(frames, size == 200 ? 0x02 : 0x40, Bytes(size, std::byte{'a'}));
    ends.push_back(frames.size());
  }

  std::size_t whole = 0;
  for (std::size_t cut = 0; cut <= frames.size(); ++cut) {
    while (whole + 1 < ends.size() && ends[whole + 1] <= cut) ++whole;
    const MessageScan scan = scan_messages(BytesView(frames).first(cut), kSizeMax);
    ASSERT_FALSE(scan.fault) << cut;
    ASSERT_EQ(scan.count, whole) << cut;
    ASSERT_EQ(scan.size, ends[whole]) << cut;
  }
}

TEST(ScanMessages, WhatIsWholeBeforeAFaultIsCountedToo) {
  Bytes frames = message(0x00, bytes("ok"));
  const std::size_t good = frames.size();
  add(frames, 0x03, bytes("no such type"));

  const MessageScan scan = scan_messages(frames, kSizeMax);

  EXPECT_EQ(scan.size, good);
  EXPECT_EQ(scan.count, 1U);
  ASSERT_TRUE(scan.fault);
  EXPECT_EQ(scan.fault->code, ErrorCode::kFrameMalformed);
}

// spec: FRAME-1
TEST(ScanMessages, ALengthThatIsNotMinimalIsRefused) {
  EXPECT_EQ(fault_of(bytes({0x00, 0x40, 0x01, 'x'})), ErrorCode::kVarintNotMinimal);
}

// spec: FRAME-2
TEST(ScanMessages, ALengthAboveTheLimitIsRefusedOnTheHeaderAndOneAtTheLimitIsNot) {
  EXPECT_EQ(fault_of(bytes({0x00, 5}), 5), ErrorCode::kNone);
  EXPECT_EQ(fault_of(bytes({0x00, 6}), 5), ErrorCode::kFrameTooLarge);
  EXPECT_EQ(fault_of(bytes({0x00, 0x41, 0x00}), 256), ErrorCode::kNone);
  EXPECT_EQ(fault_of(bytes({0x00, 0x41, 0x01}), 256), ErrorCode::kFrameTooLarge);
}

// spec: FRAME-3
TEST(ScanMessages, TextIsValidatedAndRawBytesAreNot) {
  const Bytes surrogate = bytes({0xed, 0xa0, 0x80});
  EXPECT_EQ(fault_of(message(0x02, bytes("grüße"))), ErrorCode::kNone);
  EXPECT_EQ(fault_of(message(0x02, surrogate)), ErrorCode::kTextInvalid);
  EXPECT_EQ(fault_of(message(0x42, surrogate)), ErrorCode::kTextInvalid);
  EXPECT_EQ(fault_of(message(0x00, surrogate)), ErrorCode::kNone);
}

// spec: FRAME-4
TEST(ScanMessages, ATypeThatIsNotInTheTableIsRefusedOnByteZero) {
  for (int type = 0; type < 0x20; ++type) {
    EXPECT_EQ(fault_of(bytes({type})), type <= 2 ? ErrorCode::kNone : ErrorCode::kFrameMalformed);
  }
}

// spec: STREAM-2
TEST(ScanMessages, AControlFrameAmongMessagesIsUnexpectedEvenAnExtension) {
  EXPECT_EQ(fault_of(bytes({0x89})), ErrorCode::kFrameUnexpected);
  EXPECT_EQ(fault_of(bytes({0x98, 0})), ErrorCode::kFrameUnexpected);
}

// spec: FRAME-8
TEST(ScanMessages, ABlockOfAttributesIsValidatedBeforeThePayload) {
  EXPECT_EQ(fault_of(message(0x20, bytes({3, 1, 1, 5, 'x'}))), ErrorCode::kNone);
  EXPECT_EQ(fault_of(message(0x20, bytes({3, 1, 2, 5, 'x'}))), ErrorCode::kFrameMalformed);
  EXPECT_EQ(fault_of(message(0x20, bytes({6, 1, 1, 5}))), ErrorCode::kFrameTruncated);
  EXPECT_EQ(fault_of(message(0x22, bytes({3, 1, 1, 5, 0xff}))), ErrorCode::kTextInvalid);
  EXPECT_EQ(fault_of(message(0x22, bytes({3, 5, 1, 0xff, 'x'}))), ErrorCode::kNone);
}

TEST(MessageRange, ItShowsWhatWasScanned) {
  Bytes frames;
  add(frames, 0x00, bytes("one"));
  add(frames, 0x42, Bytes(100, std::byte{'b'}));
  add(frames, 0x21, bytes({3, 1, 1, 5, 'x', 'y'}));
  add(frames, 0x20, bytes({0}));

  std::vector<MessageView> seen;
  std::size_t size = 0;
  for (const MessageView& message : MessageRange(frames)) {
    seen.push_back(message);
    size += message.frame_size;
  }

  ASSERT_EQ(seen.size(), scan_messages(frames, kSizeMax).count);
  EXPECT_EQ(size, frames.size());
  EXPECT_EQ(text_of(seen[0].payload), "one");
  EXPECT_FALSE(seen[0].priority);
  EXPECT_EQ(seen[1].type, MessageType::kText);
  EXPECT_TRUE(seen[1].priority);
  EXPECT_EQ(seen[1].payload.size(), 100U);
  EXPECT_EQ(seen[2].type, MessageType::kTyped);
  EXPECT_EQ(copy_of(seen[2].attributes), bytes({1, 1, 5}));
  EXPECT_EQ(text_of(seen[2].payload), "xy");
  EXPECT_TRUE(seen[3].attributes.empty());
  EXPECT_TRUE(seen[3].payload.empty());
}

TEST(MessageRange, NothingHoldsNoMessage) {
  const MessageRange none{BytesView()};
  EXPECT_TRUE(none.begin() == none.end());
}

// spec: FRAME-8
TEST(Attributes, EveryKnownTagIsReadAndOthersArePassedOver) {
  Bytes block = bytes({0, 1, 9, 1, 1, 5, 2, 16});
  block.insert(block.end(), 16, std::byte{0xcc});
  test::append(block, bytes({3, 2, 0x40, 0x40, 4, 8, 1, 2, 3, 4, 5, 6, 7, 8, 5, 3, 'k', 'e', 'y'}));
  test::append(block, bytes({0x40, 0x64, 0}));

  const auto attributes = decode_attributes(block);

  ASSERT_TRUE(attributes);
  EXPECT_EQ(attributes->time_to_live, std::chrono::milliseconds(5));
  ASSERT_TRUE(attributes->correlation);
  EXPECT_EQ(attributes->correlation->bytes[15], std::byte{0xcc});
  EXPECT_EQ(attributes->timestamp, std::chrono::microseconds(64));
  ASSERT_TRUE(attributes->schema);
  EXPECT_EQ((*attributes->schema)[7], std::byte{8});
  EXPECT_EQ(text_of(attributes->key), "key");
}

// spec: FRAME-2, FRAME-8
TEST(Attributes, AreWrittenAsTheyAreReadAndOnlyWhatIsSaidCostsBytes) {
  using std::chrono_literals::operator""ms;
  const Bytes key(255, std::byte{'k'});
  const std::string sender(255, 's');
  CorrelationId correlation;
  correlation.bytes.fill(std::byte{0xcc});
  const MessageAttributes nothing;
  const MessageAttributes short_lived{.time_to_live = 60ms};
  const MessageAttributes all{.time_to_live = std::chrono::milliseconds(kVarintMax),
                              .correlation = correlation,
                              .timestamp = std::chrono::microseconds(kVarintMax),
                              .schema = std::array<std::byte, 8>{std::byte{1}, std::byte{2}},
                              .key = key,
                              .wants_reply = true,
                              .sender = sender,
                              .priority = true};

  for (const auto& [attributes, cost] : std::vector<std::pair<MessageAttributes, std::size_t>>{
           {nothing, 2}, {short_lived, 6}, {all, 571}}) {
    std::array<std::byte, kMessageHeaderSizeMax> header;
    const std::size_t size =
        encode_message_header(header, MessageType::kText, attributes, std::size_t{5});
    Bytes frame = copy_of(BytesView(header).first(size));
    test::append(frame, bytes_of("hello"));

    EXPECT_EQ(size, cost);
    EXPECT_EQ(message_body_size(attributes, 5), frame.size() - (cost > 64 ? 3 : 2));
    const MessageScan scan = scan_messages(frame, kSizeMax);
    ASSERT_EQ(scan.count, 1U);
    EXPECT_EQ(scan.has_attributes, cost > 2);
    const MessageView view = *MessageRange(frame).begin();
    const Message message(view.type, view.payload, "a", "b", Offset(), view.attribute_block());
    const MessageAttributes read = message.attributes();
    EXPECT_EQ(message.text(), "hello");
    EXPECT_EQ(message.has_attributes(), cost > 2);
    EXPECT_EQ(read.time_to_live, attributes.time_to_live);
    EXPECT_EQ(read.correlation, attributes.correlation);
    EXPECT_EQ(read.timestamp, attributes.timestamp);
    EXPECT_EQ(read.schema, attributes.schema);
    EXPECT_EQ(text_of(read.key), text_of(attributes.key));
    EXPECT_EQ(read.wants_reply, attributes.wants_reply);
    EXPECT_EQ(read.sender, attributes.sender);
    EXPECT_EQ(read.priority, attributes.priority);
  }
}

// spec: FRAME-8
TEST(Attributes, TagsThatDoNotAscendStrictlyAreMalformed) {
  EXPECT_TRUE(decode_attributes(bytes({1, 1, 5, 6, 0})));
  for (const Bytes& block :
       {bytes({6, 0, 1, 1, 5}), bytes({1, 1, 5, 1, 1, 5}), bytes({0, 0, 0, 0})}) {
    const auto attributes = decode_attributes(block);
    ASSERT_FALSE(attributes);
    EXPECT_EQ(attributes.error().code, ErrorCode::kFrameMalformed);
  }
}

}  // namespace
}  // namespace orzatty::wire
