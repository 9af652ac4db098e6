// Writes one control frame at the end of a buffer of the caller's, which is reused, so that the
// steady state allocates nothing.
//
//   Writer writer(out, FrameType::kSubscribed);
//   writer.write_varint(subscription);
//   writer.finish();
//
// What it is given fits the protocol: lengths are the caller's to keep, a longer text than the
// other side accepts is a bug of ours. Nobody else writes to `out` in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "orzatty/bytes.h"
#include "wire/frame.h"

namespace orzatty::wire {

class Writer {
 public:
  Writer(Bytes& out, FrameType type);

  void write_varint(std::uint64_t value);
  // Fixed size, most significant byte first.
  void write_u32(std::uint32_t value) { write_fixed(value, 4); }
  void write_u64(std::uint64_t value) { write_fixed(value, 8); }
  // As they are, without a length.
  void write_raw(BytesView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  // Length and bytes.
  void write_bytes(BytesView bytes);
  void write_text(std::string_view text) { write_bytes(bytes_of(text)); }
  // A text for humans of at most kExplanationSizeMax bytes: cut, or left out when it is not UTF-8,
  // because the other side should rather hear a code without words than refuse the frame.
  void write_explanation(std::string_view text);

  // Puts the length in its place. The frame is whole.
  void finish();

 private:
  void write_fixed(std::uint64_t value, std::size_t size);

  Bytes& out_;
  std::size_t body_;  // where it begins, while the length has one byte
};

}  // namespace orzatty::wire
