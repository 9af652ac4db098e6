// Channels: their names, the patterns that match them, and the properties a hub gives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "orzatty/ids.h"
#include "orzatty/time.h"

namespace orzatty {

// 1-255 bytes of UTF-8, dot-separated non-empty tokens without spaces, control characters, `*` or
// `>`: "quotes.AAPL". A number is a name too. A first `$` is reserved for the server's own.
class ChannelName {
 public:
  static constexpr std::size_t kSizeMax = 255;
  static std::optional<ChannelName> parse(std::string_view text);  // the only way to get one
  static ChannelName of(std::uint64_t number);

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] bool reserved() const { return text_.front() == '$'; }
  auto operator<=>(const ChannelName&) const = default;

 private:
  explicit ChannelName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// A name whose tokens may be `*` (any one token) and whose last may be `>` (one or more tokens).
// A wildcard in first place does not match reserved names.
class ChannelPattern {
 public:
  static std::optional<ChannelPattern> parse(std::string_view text);
  static ChannelPattern exactly(const ChannelName& name);

  [[nodiscard]] bool matches(const ChannelName& name) const;
  [[nodiscard]] bool has_wildcard() const { return has_wildcard_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  auto operator<=>(const ChannelPattern&) const = default;

 private:
  ChannelPattern(std::string text, bool has_wildcard)
      : text_(std::move(text)), has_wildcard_(has_wildcard) {}
  std::string text_;
  bool has_wildcard_ = false;
};

// How messages travel, and what is owed to each.
enum class DeliveryMode : std::uint8_t {
  kReliable = 0,   // each of them, in order
  kUnordered = 1,  // each of them; one that is lost on the way holds up no other
  kDatagram = 2,   // at most once, and never sent again: what is late is of no use
  kLatest = 3,     // the newest of each key always arrives; it takes the place of older ones
};
inline constexpr std::size_t kDeliveryModeCount = 4;
// The largest message of a channel in mode datagram, attributes and all: it has to fit the smallest
// packet that every path carries (1,200 bytes), whole and with what stands before it.
inline constexpr std::uint32_t kDatagramMessageSizeMax = 1100;
std::string_view name(DeliveryMode mode);

// What happens to a subscriber that cannot keep up.
enum class SlowPolicy : std::uint8_t {
  kWait,        // publishers wait for it: nothing is lost, everybody is as slow as the slowest
  kDropOldest,  // it misses the oldest and is told so by a Gap
  kLatest,      // it jumps to the newest and is told so by a Gap
  kDisconnect,  // its subscription ends with SLOW_SUBSCRIBER and the offset to resume from
};

// How much of the past a channel keeps. Whatever bound is met first counts; zero is no bound.
struct Retention {
  std::uint64_t count = 0;
  std::uint64_t bytes = 1024 * 1024;  // small enough for a million quiet channels, as they are lazy
  Duration age = Duration::zero();
  bool operator==(const Retention&) const = default;
};

// Whose bytes leave a connection first: a higher one before any lower, those of one take turns. A
// transfer at 0 uses what the others leave.
inline constexpr std::uint8_t kPriorityMax = 7;
inline constexpr std::uint8_t kPriorityDefault = 3;

struct ChannelConfig {
  DeliveryMode mode = DeliveryMode::kReliable;  // a publisher's is the same, or kReliable
  Retention retention;
  SlowPolicy slow_policy = SlowPolicy::kWait;
  std::uint8_t priority = kPriorityDefault;  // of deliveries; a publisher has its own
  bool operator==(const ChannelConfig&) const = default;
};

// Where a subscription starts. Live is the next message; latest is the newest kept one, then live.
struct StartPosition {
  enum class Kind : std::uint8_t { kLive = 0, kLatest = 1, kLast = 2, kOffset = 3, kStart = 4 };
  Kind kind = Kind::kLive;
  std::uint64_t value = 0;  // of kLast a count, of kOffset an offset

  static StartPosition live() { return {Kind::kLive, 0}; }
  static StartPosition latest() { return {Kind::kLatest, 0}; }
  static StartPosition last(std::uint64_t count) { return {Kind::kLast, count}; }
  static StartPosition at(Offset offset) { return {Kind::kOffset, offset.value()}; }
  static StartPosition start() { return {Kind::kStart, 0}; }
  bool operator==(const StartPosition&) const = default;
};

}  // namespace orzatty
