#include "wire/writer.h"

#include <array>

#include "base/utf8.h"
#include "wire/varint.h"

namespace orzatty::wire {

Writer::Writer(Bytes& out, FrameType type) : out_(out) {
  out_.push_back(static_cast<std::byte>(kControlBit | static_cast<std::uint8_t>(type)));
  out_.push_back(std::byte{0});  // the length; most bodies are shorter than 64 bytes
  body_ = out_.size();
}

void Writer::write_varint(std::uint64_t value) {
  std::array<std::byte, kVarintSizeMax> varint;
  write_raw(BytesView(varint).first(encode_varint(varint, value)));
}

void Writer::write_fixed(std::uint64_t value, std::size_t size) {
  for (std::size_t left = size; left > 0; --left) {
    out_.push_back(static_cast<std::byte>((value >> (8 * (left - 1))) & 0xff));
  }
}

void Writer::write_bytes(BytesView bytes) {
  write_varint(bytes.size());
  write_raw(bytes);
}

void Writer::write_explanation(std::string_view text) {
  std::string_view kept = text.substr(0, kExplanationSizeMax);
  // Not in the middle of a character: continuation bytes are 10xxxxxx.
  while (kept.size() < text.size() && !kept.empty() &&
         (static_cast<unsigned char>(text[kept.size()]) & 0xc0) == 0x80) {
    kept.remove_suffix(1);
  }
  write_text(base::is_utf8(bytes_of(kept)) ? kept : std::string_view());
}

void Writer::finish() {
  std::array<std::byte, kVarintSizeMax> length;
  const std::size_t size = encode_varint(length, out_.size() - body_);
  out_[body_ - 1] = length[0];
  out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(body_), length.begin() + 1,
              length.begin() + static_cast<std::ptrdiff_t>(size));
}

}  // namespace orzatty::wire
