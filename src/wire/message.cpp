#include "wire/message.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "wire/attributes.h"
#include "wire/frame_cutter.h"
#include "wire/reader.h"

namespace orzatty::wire {

namespace {

// The whole frames at the front that need no look inside: raw or typed, no attributes, and a length
// of one byte or two. Nearly all of nearly every stream.
void scan_plain(BytesView bytes, std::uint32_t size_max, MessageScan& scan) {
  constexpr unsigned kLookInside = 0xff & ~(kPriorityBit | 1U);
  const std::byte* const data = bytes.data();
  std::size_t at = scan.size;
  std::uint64_t count = 0;
  while (bytes.size() - at >= 3) {
    const auto head = std::to_integer<unsigned>(data[at]);
    if ((head & kLookInside) != 0) break;
    const auto first = std::to_integer<unsigned>(data[at + 1]);
    const unsigned two = (first & 0x3f) << 8 | std::to_integer<unsigned>(data[at + 2]);
    // One of two bytes that would fit one byte is for the careful way to refuse. spec: FRAME-1
    if (first >= 0x80 || (first >= 0x40 && two < 0x40)) break;
    const unsigned length = first < 0x40 ? first : two;
    const unsigned size = (first < 0x40 ? 2 : 3) + length;
    if (length > size_max || bytes.size() - at < size) break;
    at += size;
    ++count;
  }
  scan.size = at;
  scan.count += count;
}

}  // namespace

std::size_t encode_message_header(std::span<std::byte, kMessageHeaderSizeMax> out, MessageType type,
                                  const MessageAttributes& attributes, std::uint64_t payload_size) {
  std::array<std::byte, kAttributesSizeMax> block;
  const std::size_t block_size = encode_attributes(block, attributes);
  auto head = static_cast<unsigned>(type) | (attributes.priority ? kPriorityBit : 0U);
  std::uint64_t length = payload_size;
  if (block_size > 0) {
    head |= kAttributesBit;
    length += varint_size(block_size) + block_size;
  }
  out[0] = static_cast<std::byte>(head);
  std::size_t size = 1 + encode_varint(out.subspan(1), length);
  if (block_size == 0) return size;
  size += encode_varint(out.subspan(size), block_size);
  std::ranges::copy(BytesView(block).first(block_size),
                    out.begin() + static_cast<std::ptrdiff_t>(size));
  return size + block_size;
}

std::uint64_t message_body_size(const MessageAttributes& attributes, std::uint64_t payload_size) {
  const std::size_t block_size = attributes_size(attributes);
  return payload_size + (block_size == 0 ? 0 : varint_size(block_size) + block_size);
}

// spec: FRAME-3, FRAME-8
std::optional<ProtocolError> check_message_body(std::uint8_t head, BytesView body) {
  BytesView payload = body;
  if ((head & kAttributesBit) != 0) {
    Reader reader(body, "attributes of a message");
    const BytesView block = reader.read_slice(reader.read_varint());
    payload = reader.read_rest();
    if (const auto read = reader.finish(); !read) return read.error();
    if (const auto decoded = decode_attributes(block); !decoded) return decoded.error();
  }
  const auto type = static_cast<MessageType>(head & kTypeBits);
  if (type == MessageType::kText && !base::is_utf8(payload)) {
    return ProtocolError{ErrorCode::kTextInvalid, "text of a message"};
  }
  return std::nullopt;
}

// spec: FRAME-1, FRAME-2, FRAME-3, FRAME-4, FRAME-8, STREAM-2
MessageScan scan_messages(BytesView bytes, std::uint32_t message_size_max) {
  constexpr FrameSet kMessagesOnly{.bits = FrameSet::kMessages};
  const FrameLimits limits{.message_size_max = message_size_max};
  MessageScan scan;
  while (true) {
    scan_plain(bytes, message_size_max, scan);
    const BytesView rest = bytes.subspan(scan.size);
    const auto header = decode_frame_header(rest, limits, kMessagesOnly);
    if (!header) {
      scan.fault = header.error();
      return scan;
    }
    if (!*header || (*header)->frame_size() > rest.size()) return scan;
    const auto size = static_cast<std::size_t>((*header)->frame_size());
    scan.fault = check_message_body((*header)->head, rest.first(size).subspan((*header)->size));
    if (scan.fault) return scan;
    scan.has_attributes |= ((*header)->head & kAttributesBit) != 0;
    scan.size += size;
    ++scan.count;
  }
}

}  // namespace orzatty::wire
