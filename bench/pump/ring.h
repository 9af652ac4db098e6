// The bytes of one stream between application and network: framed messages are appended at one end,
// ngtcp2 refers to them until they are acknowledged at the other. A message is two bytes of length,
// least significant first, and as many bytes of payload.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "orzatty/bytes.h"

namespace orzatty::pump {

inline constexpr std::size_t kHeaderSize = 2;

class Ring {
 public:
  static constexpr std::size_t kSize =
      2 * 1024 * 1024;  // what fits a level 2 cache; a power of two

  [[nodiscard]] bool has_room(std::size_t payload_size) const {
    return written_ - acked_ + kHeaderSize + payload_size <= kSize;
  }
  // Only when there is room.
  void append(BytesView payload) {
    const std::array header{static_cast<std::byte>(payload.size() & 0xff),
                            static_cast<std::byte>(payload.size() >> 8)};
    put(header);
    put(payload);
  }

  // What was not taken yet, in two pieces where the ring ends between them.
  [[nodiscard]] std::array<BytesView, 2> unsent() const {
    const std::size_t from = offset(taken_);
    const auto size = static_cast<std::size_t>(written_ - taken_);
    const std::size_t front = std::min(size, kSize - from);
    return {BytesView(memory_).subspan(from, front), BytesView(memory_).first(size - front)};
  }
  void taken(std::size_t size) { taken_ += size; }
  void acked_to(std::uint64_t position) { acked_ = std::max(acked_, position); }
  [[nodiscard]] bool is_settled() const { return acked_ == written_; }

 private:
  static std::size_t offset(std::uint64_t position) { return position & (kSize - 1); }

  void put(BytesView bytes) {
    const std::size_t to = offset(written_);
    const std::size_t front = std::min(bytes.size(), kSize - to);
    std::memcpy(memory_.data() + to, bytes.data(), front);
    if (front < bytes.size()) {
      std::memcpy(memory_.data(), bytes.data() + front, bytes.size() - front);
    }
    written_ += bytes.size();
  }

  std::vector<std::byte> memory_ = std::vector<std::byte>(kSize);
  std::uint64_t written_ = 0;  // positions in the stream
  std::uint64_t taken_ = 0;
  std::uint64_t acked_ = 0;
};

}  // namespace orzatty::pump
