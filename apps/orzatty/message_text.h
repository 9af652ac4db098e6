// A received message as a line of text, hex or JSON, or as bare bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "failure.h"
#include "orzatty/message.h"
#include "output.h"

namespace orzatty::apps {

struct MessageText {
  enum class Format : std::uint8_t { kText, kHex, kJson, kRaw };
  enum class Channel : std::uint8_t { kHidden, kShown };
  // A terminal obeys control characters, and a message is a stranger's text: they are escaped
  // there.
  enum class Reader : std::uint8_t { kProgram, kTerminal };

  Format format = Format::kText;
  Channel channel = Channel::kHidden;
  Reader reader = Reader::kProgram;

  void append(const Message& message, Output& output) const;
};

Result<MessageText::Format> parse_format(std::string_view text);

}  // namespace orzatty::apps
