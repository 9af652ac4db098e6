// A message as handlers see it, and what may be said about one that is sent.
#pragma once

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
};
std::string_view name(GapReason reason);

// Positions that a subscription will not see: [from, to).
struct Gap {
  Offset from;
  Offset to;
  GapReason reason = GapReason::kRetention;
  bool operator==(const Gap&) const = default;
};

// Borrowed: everything in it is valid until the handler returns.
class Message {
 public:
  Message(MessageType type, BytesView payload, std::string_view channel, std::string_view publisher,
          Offset offset)
      : payload_(payload), channel_(channel), publisher_(publisher), offset_(offset), type_(type) {}

  [[nodiscard]] MessageType type() const { return type_; }
  [[nodiscard]] BytesView payload() const { return payload_; }
  [[nodiscard]] std::string_view text() const { return text_of(payload_); }
  [[nodiscard]] std::string_view channel() const { return channel_; }
  // The identity that published it, as the server authenticated it.
  [[nodiscard]] std::string_view publisher() const { return publisher_; }
  // In a hub channel its offset; in a handler of the server and in a direct log its sequence.
  [[nodiscard]] Offset offset() const { return offset_; }

 private:
  BytesView payload_;
  std::string_view channel_;
  std::string_view publisher_;
  Offset offset_;
  MessageType type_;
};

// What became of a message that was sent.
enum class Fate : std::uint8_t {
  kAccepted,  // the server has it, at the level the channel states
  kRejected,  // never stored; the report says why
  kUnknown,   // the session ended before an answer came
};

}  // namespace orzatty
