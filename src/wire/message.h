// Message frames: written by a publisher, validated once by whoever receives them, and walked by
// everybody who hands them on. All of it is on the way of each message, so most of it is inline.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>

#include "base/short_header.h"
#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/message.h"
#include "wire/attributes.h"
#include "wire/frame.h"
#include "wire/varint.h"

namespace orzatty::wire {

// Borrows from the frame.
struct MessageView {
  MessageType type = MessageType::kRaw;
  bool priority = false;
  BytesView attributes;  // the block without its length; empty when there is none
  BytesView payload;
  std::size_t frame_size = 0;

  [[nodiscard]] AttributeBlock attribute_block() const { return {attributes, priority}; }
};

// Writes what stands before a plain payload of that size and returns how many bytes it has: 2 or 3
// for most.
inline std::size_t encode_message_header(std::span<std::byte, 16> out, MessageType type,
                                         std::uint64_t payload_size) {
  out[0] = static_cast<std::byte>(type);
  return 1 + encode_varint(out.subspan(1), payload_size);
}

// The same in a word, of a payload of at most kShortPayloadMax bytes.
inline constexpr std::uint64_t kShortPayloadMax = (std::uint64_t{1} << 14) - 1;
inline base::ShortHeader short_message_header(MessageType type, std::uint64_t payload_size) {
  const auto size = static_cast<std::uint32_t>(payload_size);
  const auto head = static_cast<std::uint32_t>(type);
  // Least significant byte first.
  const bool one = size < 1U << 6;
  const std::uint32_t length = one ? size : 0x40 | size >> 8 | (size & 0xff) << 8;
  std::uint32_t bytes = head | length << 8;
  if constexpr (std::endian::native == std::endian::big) bytes = std::byteswap(bytes);
  return {.bytes = bytes, .size = one ? 2U : 3U};
}

// The same with attributes. spec: FRAME-8
inline constexpr std::size_t kMessageHeaderSizeMax = 16 + kAttributesSizeMax;
std::size_t encode_message_header(std::span<std::byte, kMessageHeaderSizeMax> out, MessageType type,
                                  const MessageAttributes& attributes, std::uint64_t payload_size);
// The length that its frame states: what message_size_max bounds. spec: FRAME-2
[[nodiscard]] std::uint64_t message_body_size(const MessageAttributes& attributes,
                                              std::uint64_t payload_size);

struct MessageScan {
  std::size_t size = 0;                // of the whole frames at the front
  std::uint64_t count = 0;             // of them
  bool has_attributes = false;         // some of them may have
  std::optional<ProtocolError> fault;  // of what stands behind them
};

// Walks and validates the whole message frames at the front of `bytes`. What follows them is either
// the beginning of a frame, or wrong. Allocates nothing.
MessageScan scan_messages(BytesView bytes, std::uint32_t message_size_max);

// Validates the body of a message frame, whose header has been checked.
std::optional<ProtocolError> check_message_body(std::uint8_t head, BytesView body);

// Iterates over message frames that have been validated: for (MessageView m : MessageRange(bytes)).
// Borrows `frames`.
class MessageRange {
 public:
  class Iterator {
   public:
    using value_type = MessageView;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    Iterator() = default;
    explicit Iterator(BytesView rest) : rest_(rest) { decode(); }
    const MessageView& operator*() const { return message_; }
    const MessageView* operator->() const { return &message_; }
    Iterator& operator++() {
      rest_ = rest_.subspan(message_.frame_size);
      decode();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return rest_.empty(); }

   private:
    void decode() {
      if (rest_.empty()) return;
      const auto head = std::to_integer<std::uint8_t>(rest_[0]);
      const DecodedVarint length = decode_varint(rest_.subspan(1));
      const BytesView body = rest_.subspan(1 + length.size, static_cast<std::size_t>(length.value));
      message_.type = static_cast<MessageType>(head & kTypeBits);
      message_.priority = (head & kPriorityBit) != 0;
      message_.payload = body;
      message_.attributes = {};
      message_.frame_size = 1 + length.size + body.size();
      if ((head & kAttributesBit) != 0) split_attributes(body);
    }
    void split_attributes(BytesView body) {
      const DecodedVarint size = decode_varint(body);
      message_.attributes = body.subspan(size.size, static_cast<std::size_t>(size.value));
      message_.payload = body.subspan(size.size + message_.attributes.size());
    }

    BytesView rest_;
    MessageView message_;
  };

  explicit MessageRange(BytesView frames) : frames_(frames) {}
  [[nodiscard]] Iterator begin() const { return Iterator(frames_); }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  BytesView frames_;
};

}  // namespace orzatty::wire
