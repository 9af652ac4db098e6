// A frame as it stands in a stream: `byte 0 | varint length | body`, and the registry of its types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "orzatty/bytes.h"

namespace orzatty::wire {

// Byte 0.
inline constexpr std::uint8_t kControlBit = 0x80;
inline constexpr std::uint8_t kPriorityBit = 0x40;
inline constexpr std::uint8_t kAttributesBit = 0x20;
inline constexpr std::uint8_t kTypeBits = 0x1f;

// Of control frames; numbers of spec/protocol.md, section 8.
enum class FrameType : std::uint8_t {
  kHello = 0x00,
  kWelcome = 0x01,
  kSubscribe = 0x02,
  kSubscribed = 0x03,
  kUnsubscribe = 0x04,
  kEnded = 0x05,
  kAck = 0x06,
  kReject = 0x07,
  kConsumed = 0x08,
  kPing = 0x09,
  kPong = 0x0a,
  kDrain = 0x0b,
  kClose = 0x0c,
  kFate = 0x0d,
  kCancel = 0x0f,
  kPublish = 0x10,
  kDeliver = 0x11,
  kDirect = 0x12,
  kAlias = 0x13,
  kProducer = 0x14,
  kRun = 0x15,
  kGap = 0x16,
  kSkip = 0x17,
};

inline constexpr std::size_t kFrameHeaderSizeMax = 9;
inline constexpr std::uint32_t kControlSizeMax = 65'536;  // body of a control frame. spec: FRAME-2
inline constexpr std::uint64_t kRunSizeMax = std::uint64_t{1} << 30;  // spec: STREAM-4

// Texts of control frames. spec: CONTROL-2
inline constexpr std::size_t kTokenSizeMax = 8192;
inline constexpr std::size_t kAgentSizeMax = 255;
inline constexpr std::size_t kIdentitySizeMax = 255;
inline constexpr std::size_t kExplanationSizeMax = 1024;

// Borrowed from whoever cut it out of its stream.
struct Frame {
  std::uint8_t head = 0;
  BytesView body;
  BytesView whole;

  [[nodiscard]] bool is_control() const { return (head & kControlBit) != 0; }
  [[nodiscard]] FrameType type() const { return static_cast<FrameType>(head & kTypeBits); }
};

}  // namespace orzatty::wire
