// The account of one receiver: each message must come once, in order and whole, and the last one
// says that it is the last.
#pragma once

#include <cstdint>
#include <cstring>

#include "net/clock.h"
#include "orzatty/bytes.h"
#include "sequence_check.h"

namespace orzatty::peers {

inline constexpr std::uint64_t kEnd = ~std::uint64_t{0};  // the number of what comes last

inline bool is_end(BytesView message) {
  std::uint64_t number = 0;
  if (message.size() < sizeof number) return false;
  std::memcpy(&number, message.data(), sizeof number);
  return number == kEnd;
}

// Two threads of a library may each keep one, so they share no cache line.
class alignas(64) Receipt {
 public:
  explicit Receipt(std::size_t size) : size_(size) {}

  // False when that was the end.
  bool take(BytesView message) {
    if (message.size() != size_) [[unlikely]] {
      ++misshapen_;
    }
    if (is_end(message)) [[unlikely]] {
      ended_at_ = net::now();
      return false;
    }
    check_.take(message);
    return true;
  }

  // One more than the highest number seen.
  [[nodiscard]] std::uint64_t next() const { return check_.next(); }
  // Before a library takes its time to close; all processes of a machine have the same clock.
  [[nodiscard]] Instant ended_at() const { return ended_at_; }
  // When `sent` messages were sent: those that did not come, came twice or in another size.
  [[nodiscard]] std::uint64_t faults(std::uint64_t sent) const {
    return check_.lost(sent) + check_.repeated() + misshapen_;
  }

 private:
  std::size_t size_;
  std::uint64_t misshapen_ = 0;
  apps::SequenceCheck check_;
  Instant ended_at_{};
};

}  // namespace orzatty::peers
