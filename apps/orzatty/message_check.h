// What the messages of a measurement hold, and the account of whoever receives them: each must come
// once, in the order of its source, and with the content that was sent.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "orzatty/bytes.h"
#include "sequence_check.h"

namespace orzatty::apps {

// A source and its own count share the number of a message: 16 million of them, 10^12 messages
// each.
inline constexpr unsigned kSourceShift = 40;
inline constexpr std::size_t kSourcesMax = std::size_t{1} << (64 - kSourceShift);

inline std::uint64_t number_of(std::size_t source, std::uint64_t index) {
  return std::uint64_t{source} << kSourceShift | index;
}

// Ready for write_number(): behind the number no two neighbours are alike, so that what was moved
// or cut is seen.
inline Bytes numbered_message(std::size_t size) {
  Bytes message(size);
  for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<std::byte>(i * 167 + 13);
  return message;
}

class MessageCheck {
 public:
  // `expected` is a numbered_message(), and has to live as long as this.
  explicit MessageCheck(BytesView expected, std::size_t sources = 1)
      : content_(expected.subspan(kNumberedSizeMin)), sources_(sources) {}

  // One with another content or source does not count as received, so that its number is missing.
  void take(BytesView message) {
    if (message.size() != kNumberedSizeMin + content_.size()) [[unlikely]]
      return;
    if (!content_.empty() && std::memcmp(message.data() + kNumberedSizeMin, content_.data(),
                                         content_.size()) != 0) [[unlikely]] {
      return;
    }
    std::uint64_t number = 0;
    std::memcpy(&number, message.data(), sizeof number);
    const auto source = static_cast<std::size_t>(number >> kSourceShift);
    if (source >= sources_.size()) [[unlikely]]
      return;
    sources_[source].take_number(number & (number_of(1, 0) - 1));
  }

  // Of all sources together: as SequenceCheck has them for one.
  [[nodiscard]] std::uint64_t next() const { return sum(&SequenceCheck::next); }
  [[nodiscard]] std::uint64_t skipped() const { return sum(&SequenceCheck::skipped); }
  [[nodiscard]] std::uint64_t repeated() const { return sum(&SequenceCheck::repeated); }
  // Of `sent` messages of all sources.
  [[nodiscard]] std::uint64_t lost(std::uint64_t sent) const {
    const std::uint64_t come = next();
    return skipped() + (sent > come ? sent - come : 0);
  }

 private:
  [[nodiscard]] std::uint64_t sum(std::uint64_t (SequenceCheck::*count)() const) const {
    if (sources_.size() == 1) [[likely]]
      return (sources_.front().*count)();
    std::uint64_t total = 0;
    for (const SequenceCheck& source : sources_) total += (source.*count)();
    return total;
  }

  BytesView content_;
  std::vector<SequenceCheck> sources_;
};

}  // namespace orzatty::apps
