// How a call names a channel and gives a payload, so that `send(1, "Hello")` needs no ceremony.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/message.h"

namespace orzatty {

// A channel by number or by name. A name that is none is an error of the call that it is given to.
class ChannelRef {
 public:
  template <std::integral Number>
  ChannelRef(Number number) : text_(std::to_string(number)) {}
  ChannelRef(std::string_view name) : text_(name) {}
  ChannelRef(const char* name) : text_(name) {}
  ChannelRef(const std::string& name) : text_(name) {}
  ChannelRef(const ChannelName& name) : text_(name.text()) {}

  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string text_;
};

// Bytes to send, borrowed until the call returns; a string's bytes are sent as they stand. Text
// states that they are UTF-8, which the server checks. What else is to be said about them:
//
//   publisher.send(Payload("17.5").with({.time_to_live = 200ms, .key = bytes_of("AAPL")}));
class Payload {
 public:
  Payload(BytesView bytes) : bytes_(bytes) {}
  Payload(const Bytes& bytes) : bytes_(bytes) {}
  Payload(std::string_view bytes) : bytes_(bytes_of(bytes)) {}
  Payload(const char* bytes) : bytes_(bytes_of(bytes)) {}
  Payload(const std::string& bytes) : bytes_(bytes_of(bytes)) {}
  static Payload text(std::string_view text) { return {bytes_of(text), MessageType::kText}; }
  // FlatBuffers; orzatty/typed.h makes it from what the schema's compiler made.
  static Payload typed(BytesView bytes) { return {bytes, MessageType::kTyped}; }

  // The same with attributes, whose views are borrowed like the bytes.
  [[nodiscard]] Payload with(const MessageAttributes& attributes) const {
    Payload told = *this;
    told.attributes_ = attributes;
    return told;
  }

  [[nodiscard]] BytesView bytes() const { return bytes_; }
  [[nodiscard]] MessageType type() const { return type_; }
  [[nodiscard]] const std::optional<MessageAttributes>& attributes() const { return attributes_; }

 private:
  Payload(BytesView bytes, MessageType type) : bytes_(bytes), type_(type) {}
  BytesView bytes_;
  MessageType type_ = MessageType::kRaw;
  std::optional<MessageAttributes> attributes_;
};

}  // namespace orzatty
