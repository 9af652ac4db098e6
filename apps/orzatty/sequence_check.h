// Numbered messages, and the account of whoever receives them: each must come once and in order.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "orzatty/bytes.h"

namespace orzatty::apps {

inline constexpr std::size_t kNumberedSizeMin = sizeof(std::uint64_t);

// Writes the number over the front of a message of at least kNumberedSizeMin bytes.
inline void write_number(std::span<std::byte> message, std::uint64_t number) {
  std::memcpy(message.data(), &number, sizeof number);
}

class SequenceCheck {
 public:
  void take(BytesView message) {
    std::uint64_t number = 0;
    if (message.size() < sizeof number) [[unlikely]] {
      ++repeated_;
      return;
    }
    std::memcpy(&number, message.data(), sizeof number);
    take_number(number);
  }
  void take_number(std::uint64_t number) {
    if (number >= next_) [[likely]] {
      skipped_ += number - next_;
      next_ = number + 1;
    } else {
      ++repeated_;
    }
  }

  // One more than the highest number seen.
  [[nodiscard]] std::uint64_t next() const { return next_; }
  // Of those below it.
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }
  // Of messages numbered below `sent`; one that comes late was lost before it was repeated.
  [[nodiscard]] std::uint64_t lost(std::uint64_t sent) const {
    return skipped_ + (sent > next_ ? sent - next_ : 0);
  }
  [[nodiscard]] std::uint64_t repeated() const { return repeated_; }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t repeated_ = 0;
};

}  // namespace orzatty::apps
