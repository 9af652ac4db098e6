// Reads the fields of one frame's body. With the walkers of whole frames (frame_cutter, message),
// the only code that indexes bytes of a peer.
//
// A fault sticks: the first one is what finish() reports, and every read after it yields an empty
// value at once. So a decode function reads all its fields and asks once, at the end. Views that
// are returned borrow from the body. One thread, one body.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "wire/varint.h"

namespace orzatty::wire {

class Reader {
 public:
  // `where` is a literal: the name of the frame.
  Reader(BytesView body, std::string_view where) : rest_(body), where_(where) {}

  // spec: FRAME-1, FRAME-7
  std::uint64_t read_varint() {
    const DecodedVarint varint = decode_varint(rest_);
    if (varint.size == 0) return fail(ErrorCode::kFrameTruncated), 0;
    if (!varint.minimal) return fail(ErrorCode::kVarintNotMinimal), 0;
    rest_ = rest_.subspan(varint.size);
    return varint.value;
  }

  // A strong id or position.
  template <class Id>
  Id read_id() {
    return Id(read_varint());
  }

  // spec: CONTROL-1
  std::uint32_t read_varint32() {
    const std::uint64_t value = read_varint();
    if (!require(value <= std::numeric_limits<std::uint32_t>::max(), ErrorCode::kFrameMalformed)) {
      return 0;
    }
    return static_cast<std::uint32_t>(value);
  }
  std::chrono::milliseconds read_milliseconds() {
    return std::chrono::milliseconds(read_varint32());
  }

  // spec: CONTROL-1
  template <class Enum>
  Enum read_enum(Enum last) {
    const std::uint64_t value = read_varint();
    if (!require(value <= static_cast<std::uint64_t>(last), ErrorCode::kFrameMalformed)) return {};
    return static_cast<Enum>(value);
  }
  bool read_bool() { return read_enum<std::uint8_t>(1) == 1; }

  // Any number is an error code, known or not. spec: ERROR-1
  ErrorCode read_error_code() { return static_cast<ErrorCode>(read_varint32()); }

  BytesView read_slice(std::uint64_t size) {
    // Compare before narrowing: `size` is the peer's.
    if (size > rest_.size()) return fail(ErrorCode::kFrameTruncated), BytesView{};
    const BytesView slice = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(slice.size());
    return slice;
  }

  BytesView read_rest() { return read_slice(rest_.size()); }

  template <std::size_t kSize>
  std::array<std::byte, kSize> read_array() {
    std::array<std::byte, kSize> array{};
    const BytesView slice = read_slice(kSize);
    for (std::size_t i = 0; i < slice.size(); ++i) array[i] = slice[i];
    return array;
  }

  // Fixed size, most significant byte first.
  std::uint32_t read_u32() { return static_cast<std::uint32_t>(read_fixed(4)); }
  std::uint64_t read_u64() { return read_fixed(8); }

  // Length and bytes. spec: CONTROL-2
  BytesView read_bytes(std::size_t size_max) {
    const std::uint64_t size = read_varint();
    if (!require(size <= size_max, ErrorCode::kFrameTooLarge)) return {};
    return read_slice(size);
  }

  // Length and UTF-8. spec: CONTROL-2
  std::string read_text(std::size_t size_max);
  // spec: NAME-1
  ChannelName read_channel_name();
  // spec: NAME-2
  ChannelPattern read_channel_pattern();

  // The count of a list whose items have at least `item_size_min` bytes: never more of them than
  // the rest of the body can hold. spec: FRAME-7
  std::uint64_t read_count(std::size_t item_size_min) {
    const std::uint64_t count = read_varint();
    if (!require(count <= rest_.size() / item_size_min, ErrorCode::kFrameTruncated)) return 0;
    return count;
  }

  // A condition between fields; false when it, or anything before it, does not hold.
  bool require(bool condition, ErrorCode otherwise) {
    if (!condition) fail(otherwise);
    return ok();
  }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool ok() const { return fault_ == ErrorCode::kNone; }

  // spec: FRAME-7
  std::expected<void, ProtocolError> finish() {
    if (!rest_.empty()) fail(ErrorCode::kFrameMalformed);
    if (ok()) return {};
    return std::unexpected(ProtocolError{fault_, where_});
  }
  template <class Value>
  std::expected<Value, ProtocolError> finish(Value value) {
    if (const auto done = finish(); !done) return std::unexpected(done.error());
    return value;
  }

 private:
  void fail(ErrorCode code) {
    if (fault_ == ErrorCode::kNone) fault_ = code;
    rest_ = {};
  }

  std::uint64_t read_fixed(std::size_t size) {
    std::uint64_t value = 0;
    for (const std::byte byte : read_slice(size)) {
      value = value << 8 | std::to_integer<std::uint64_t>(byte);
    }
    return value;
  }

  BytesView rest_;
  std::string_view where_;
  ErrorCode fault_ = ErrorCode::kNone;
};

}  // namespace orzatty::wire
