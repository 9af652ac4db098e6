// Finds the messages of a stream in its bytes, in place where a message lies whole in what came.
#pragma once

#include <algorithm>
#include <cstddef>

#include "orzatty/bytes.h"
#include "ring.h"

namespace orzatty::pump {

class MessageReader {
 public:
  // Calls `take(payload)` for each message that is whole.
  template <class Take>
  void read(BytesView bytes, Take take) {
    if (!held_.empty()) bytes = complete_held(bytes, take);
    while (bytes.size() >= kHeaderSize) {
      const std::size_t size = kHeaderSize + payload_size(bytes);
      if (size > bytes.size()) break;
      take(bytes.subspan(kHeaderSize, size - kHeaderSize));
      bytes = bytes.subspan(size);
    }
    held_.insert(held_.end(), bytes.begin(), bytes.end());
  }

 private:
  static std::size_t payload_size(BytesView bytes) {
    return std::to_integer<std::size_t>(bytes[0]) | std::to_integer<std::size_t>(bytes[1]) << 8;
  }

  // Gives what is left of `bytes` behind the message that began earlier.
  template <class Take>
  BytesView complete_held(BytesView bytes, Take take) {
    bytes = hold_up_to(kHeaderSize, bytes);
    if (held_.size() < kHeaderSize) return bytes;
    const std::size_t size = kHeaderSize + payload_size(held_);
    bytes = hold_up_to(size, bytes);
    if (held_.size() < size) return bytes;
    take(BytesView(held_).subspan(kHeaderSize));
    held_.clear();
    return bytes;
  }

  BytesView hold_up_to(std::size_t size, BytesView bytes) {
    const std::size_t missing = size > held_.size() ? size - held_.size() : 0;
    const std::size_t some = std::min(missing, bytes.size());
    held_.insert(held_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(some));
    return bytes.subspan(some);
  }

  Bytes held_;  // the front of a message
};

}  // namespace orzatty::pump
