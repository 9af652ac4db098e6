#include "wire/frame_cutter.h"

#include <algorithm>

#include "wire/varint.h"

namespace orzatty::wire {

namespace {

// One large message must not pin its memory for as long as the stream lives.
constexpr std::size_t kHoldKeptMax = 64 * 1024;

constexpr std::uint64_t kKnown =
    0xff'bfff | FrameSet::kExtensions;  // HELLO to FATE, CANCEL, PUBLISH to SKIP
constexpr std::uint8_t kMessageTypeMax = 2;

// spec: FRAME-4, FRAME-5, FRAME-6, STREAM-1, STREAM-2, CONTROL-3
ErrorCode check_head(std::uint8_t head, const FrameSet& allowed) {
  const std::uint8_t type = head & kTypeBits;
  if ((head & kControlBit) == 0) {
    if (type > kMessageTypeMax) return ErrorCode::kFrameMalformed;
    return (allowed.bits & FrameSet::kMessages) != 0 ? ErrorCode::kNone : allowed.otherwise;
  }
  if ((head & (kPriorityBit | kAttributesBit)) != 0) return ErrorCode::kFrameMalformed;
  if ((kKnown >> type & 1) == 0) return ErrorCode::kFrameUnexpected;
  return (allowed.bits >> type & 1) != 0 ? ErrorCode::kNone : allowed.otherwise;
}

bool is_extension(std::uint8_t head) {
  return (head & kControlBit) != 0 && (FrameSet::kExtensions >> (head & kTypeBits) & 1) != 0;
}

Frame frame_of(const FrameHeader& header, BytesView whole) {
  return {.head = header.head, .body = whole.subspan(header.size), .whole = whole};
}

}  // namespace

// spec: FRAME-1, FRAME-2
std::expected<std::optional<FrameHeader>, ProtocolError> decode_frame_header(
    BytesView bytes, const FrameLimits& limits, const FrameSet& allowed) {
  if (bytes.empty()) return std::nullopt;
  const auto head = std::to_integer<std::uint8_t>(bytes[0]);
  if (const ErrorCode code = check_head(head, allowed); code != ErrorCode::kNone) {
    return std::unexpected(ProtocolError{code, "byte 0 of a frame"});
  }
  const DecodedVarint length = decode_varint(bytes.subspan(1));
  if (length.size == 0) return std::nullopt;
  if (!length.minimal) {
    return std::unexpected(ProtocolError{ErrorCode::kVarintNotMinimal, "length of a frame"});
  }
  const bool control = (head & kControlBit) != 0;
  if (length.value > (control ? limits.control_size_max : limits.message_size_max)) {
    return std::unexpected(ProtocolError{ErrorCode::kFrameTooLarge, "length of a frame"});
  }
  return FrameHeader{.head = head, .size = 1 + length.size, .body_size = length.value};
}

std::expected<std::optional<Frame>, ProtocolError> FrameCutter::cut(BytesView& input,
                                                                    const FrameSet& allowed) {
  drop_spent();
  skip(input);
  while (!input.empty()) {
    auto frame = hold_.empty() ? cut_in_place(input, allowed) : cut_held(input, allowed);
    if (!frame || *frame) return frame;
  }
  return std::nullopt;
}

std::expected<std::optional<Frame>, ProtocolError> FrameCutter::cut_in_place(
    BytesView& input, const FrameSet& allowed) {
  const auto header = decode_frame_header(input, limits_, allowed);
  if (!header) return std::unexpected(header.error());
  // `frame_size` is bounded by the limits, so it may be narrowed.
  if (*header && is_extension((*header)->head)) {
    skip_ = (*header)->frame_size();
    skip(input);
    return std::nullopt;
  }
  if (*header && (*header)->frame_size() <= input.size()) {
    const BytesView whole = input.first(static_cast<std::size_t>((*header)->frame_size()));
    input = input.subspan(whole.size());
    return frame_of(**header, whole);
  }
  header_ = header->value_or(FrameHeader{});
  hold(input, input.size());
  return std::nullopt;
}

std::expected<std::optional<Frame>, ProtocolError> FrameCutter::cut_held(BytesView& input,
                                                                         const FrameSet& allowed) {
  // The header comes byte by byte: how long it is stands in itself.
  while (header_.size == 0) {
    if (!hold(input, hold_.size() + 1)) return std::nullopt;
    const auto header = decode_frame_header(hold_, limits_, allowed);
    if (!header) return std::unexpected(header.error());
    header_ = header->value_or(FrameHeader{});
  }
  if (is_extension(header_.head)) {
    skip_ = header_.body_size;
    spent_ = true;
    drop_spent();
    skip(input);
    return std::nullopt;
  }
  if (!hold(input, static_cast<std::size_t>(header_.frame_size()))) return std::nullopt;
  spent_ = true;
  return frame_of(header_, hold_);
}

bool FrameCutter::hold(BytesView& input, std::size_t size) {
  const BytesView taken = input.first(std::min(size - hold_.size(), input.size()));
  hold_.insert(hold_.end(), taken.begin(), taken.end());
  input = input.subspan(taken.size());
  return hold_.size() == size;
}

void FrameCutter::drop_spent() {
  if (!spent_) return;
  spent_ = false;
  header_ = {};
  hold_.clear();
  if (hold_.capacity() > kHoldKeptMax) hold_.shrink_to_fit();
}

// spec: FRAME-6
void FrameCutter::skip(BytesView& input) {
  const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, input.size()));
  input = input.subspan(skipped);
  skip_ -= skipped;
}

}  // namespace orzatty::wire
