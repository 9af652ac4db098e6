// A message as handlers see it, and what may be said about one that is sent.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "orzatty/bytes.h"
#include "orzatty/ids.h"

namespace orzatty {

enum class MessageType : std::uint8_t {
  kRaw = 0,
  kTyped = 1,  // FlatBuffers
  kText = 2,   // UTF-8, validated before anybody sees it
};

enum class GapReason : std::uint8_t {
  kRetention = 0,   // the channel no longer keeps it
  kSlow = 1,        // the subscriber fell behind and the channel's policy let go
  kSuperseded = 2,  // a newer value took its place
  kExpired = 3,
  kRefused = 4,
  kLost = 5,  // of a datagram: the network lost it, and nobody sends it again
};
inline constexpr std::size_t kGapReasonCount = 6;
std::string_view name(GapReason reason);

// Positions that a subscription will not see: [from, to).
struct Gap {
  Offset from;
  Offset to;
  GapReason reason = GapReason::kRetention;
  bool operator==(const Gap&) const = default;
};

// What may be said about a message besides its payload. Only what is said costs bytes.
struct MessageAttributes {
  static constexpr std::size_t kKeySizeMax = 255;
  static constexpr std::size_t kSenderSizeMax = 255;

  // After this long nobody wants it any more. The sender's outbox counts it until the message is on
  // its way, the server anew from when it accepted it; clocks are not compared.
  std::optional<std::chrono::milliseconds> time_to_live = {};
  std::optional<CorrelationId> correlation = {};
  std::optional<std::chrono::microseconds> timestamp = {};  // since 1970, by the sender's clock
  std::optional<std::array<std::byte, 8>> schema = {};
  BytesView key = {};        // at most kKeySizeMax; none is the same as an empty one
  bool wants_reply = false;  // of a request; set by Client::request()
  std::string_view sender = {};  // of a reply, who wrote it; set by the server
  bool priority = false;         // a mark of the application's own, which nobody interprets
};

// The attributes of a message as they stand in its frame: borrowed, and read only when asked for.
struct AttributeBlock {
  BytesView bytes = {};  // whole and validated
  bool priority = false;
};

// Borrowed: everything in it is valid until the handler returns.
class Message {
 public:
  Message(MessageType type, BytesView payload, std::string_view channel, std::string_view publisher,
          Offset offset, const AttributeBlock& attributes = {})
      : payload_(payload),
        channel_(channel),
        publisher_(publisher),
        attributes_(attributes),
        offset_(offset),
        type_(type) {}

  [[nodiscard]] MessageType type() const { return type_; }
  [[nodiscard]] BytesView payload() const { return payload_; }
  [[nodiscard]] std::string_view text() const { return text_of(payload_); }
  [[nodiscard]] std::string_view channel() const { return channel_; }
  // The identity that published it, as the server authenticated it.
  [[nodiscard]] std::string_view publisher() const { return publisher_; }
  // In a hub channel its offset; in a handler of the server and in a direct log its sequence.
  [[nodiscard]] Offset offset() const { return offset_; }
  // What its publisher said about it. Views in it are valid as long as the message.
  [[nodiscard]] MessageAttributes attributes() const;
  [[nodiscard]] bool has_attributes() const {
    return !attributes_.bytes.empty() || attributes_.priority;
  }

 private:
  BytesView payload_;
  std::string_view channel_;
  std::string_view publisher_;
  AttributeBlock attributes_;
  Offset offset_;
  MessageType type_;
};

// What became of a message that was sent.
enum class Fate : std::uint8_t {
  kAccepted,  // the server has it, at the level the channel states
  kRejected,  // never stored; the report says why
  kUnknown,   // the session ended before an answer came, or the server has forgotten it
  kExpired,   // never sent: its time to live was over before
  kSuperseded,  // never sent: a newer value of its key took its place
  kHandedToNetwork,  // a datagram that has left; nobody will say whether it arrived
};

}  // namespace orzatty
