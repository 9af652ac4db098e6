// Cuts whole frames off the front of what arrived, however it was split. For Framer and
// ChannelStreamReader.
//
// A frame that is whole in the input is returned in place. One that spans inputs is put together in
// a buffer that grows only with bytes which really arrived: a declared length costs the peer one
// header and us nothing. Bytes of a frame that nobody knows are dropped as they come. One stream,
// one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "wire/frame.h"

namespace orzatty::wire {

struct FrameLimits {
  std::uint32_t message_size_max = 0;
  std::uint32_t control_size_max = kControlSizeMax;
};

// Which frames may come next, and the error of all others.
struct FrameSet {
  static constexpr std::uint64_t kMessages = std::uint64_t{1} << 32;
  static constexpr std::uint64_t kExtensions = 0xff00'0000;  // types 0x18 to 0x1f
  static constexpr std::uint64_t bit(FrameType type) {
    return std::uint64_t{1} << static_cast<unsigned>(type);
  }

  std::uint64_t bits = 0;
  ErrorCode otherwise = ErrorCode::kFrameUnexpected;
};

struct FrameHeader {
  std::uint8_t head = 0;
  std::size_t size = 0;  // of the header itself
  std::uint64_t body_size = 0;

  [[nodiscard]] std::uint64_t frame_size() const { return size + body_size; }
};

// The header at the front of `bytes`, nothing when it is not whole, or why it may not stand there.
std::expected<std::optional<FrameHeader>, ProtocolError> decode_frame_header(
    BytesView bytes, const FrameLimits& limits, const FrameSet& allowed);

class FrameCutter {
 public:
  explicit FrameCutter(FrameLimits limits) : limits_(limits) {}

  // The next frame, taken off the front of `input`; nothing when it is not whole: then `input` is
  // empty. A frame borrows from the input or from this, until the next call. After an error the
  // stream is over.
  std::expected<std::optional<Frame>, ProtocolError> cut(BytesView& input, const FrameSet& allowed);

  // Of the frames whose header has yet to come.
  void set_control_size_max(std::uint32_t size) { limits_.control_size_max = size; }
  // Bytes kept of a frame that is not whole.
  [[nodiscard]] std::size_t held() const { return spent_ ? 0 : hold_.size(); }
  // The size of that frame, 0 while its header is not whole.
  [[nodiscard]] std::uint64_t held_frame_size() const { return spent_ ? 0 : header_.frame_size(); }
  [[nodiscard]] bool between_frames() const { return held() == 0 && skip_ == 0; }

 private:
  std::expected<std::optional<Frame>, ProtocolError> cut_in_place(BytesView& input,
                                                                  const FrameSet& allowed);
  std::expected<std::optional<Frame>, ProtocolError> cut_held(BytesView& input,
                                                              const FrameSet& allowed);
  // Appends to the hold until it has `size` bytes; false when the input ends before.
  bool hold(BytesView& input, std::size_t size);
  void drop_spent();
  void skip(BytesView& input);

  FrameLimits limits_;
  FrameHeader header_;      // of the held frame; of size 0 while it is not whole
  Bytes hold_;              // reused
  std::uint64_t skip_ = 0;  // bytes of an unknown frame that have yet to come
  bool spent_ = false;      // the held frame was returned
};

}  // namespace orzatty::wire
