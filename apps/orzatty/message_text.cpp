#include "message_text.h"

#include <nlohmann/json.hpp>
#include <string>

#include "base/utf8.h"
#include "encoding.h"
#include "escape.h"

namespace orzatty::apps {
namespace {

template <class Bytes>
void put_bytes(nlohmann::ordered_json& json, const std::string& name, const Bytes& bytes) {
  if (base::is_utf8(bytes)) {
    json[name] = text_of(bytes);
  } else {
    json[name + "_base64"] = base64(bytes);
  }
}

// Only what the message says, so that a plain one looks as it always did.
void put_attributes(nlohmann::ordered_json& json, const MessageAttributes& attributes) {
  if (attributes.time_to_live) json["ttl_ms"] = attributes.time_to_live->count();
  if (attributes.correlation) json["correlation"] = hex(attributes.correlation->bytes);
  if (attributes.timestamp) json["timestamp_us"] = attributes.timestamp->count();
  if (attributes.schema) json["schema"] = hex(*attributes.schema);
  if (!attributes.key.empty()) put_bytes(json, "key", attributes.key);
  if (attributes.priority) json["priority"] = true;
}

std::string json_of(const Message& message) {
  nlohmann::ordered_json json = {{"channel", message.channel()},
                                 {"offset", message.offset().value()},
                                 {"publisher", message.publisher()}};
  if (message.has_attributes()) put_attributes(json, message.attributes());
  if (base::is_utf8(message.payload())) {
    json["text"] = message.text();
  } else {
    json["base64"] = base64(message.payload());
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void append_line(const MessageText& style, std::string_view channel, std::string_view body,
                 Output& output) {
  if (style.channel == MessageText::Channel::kShown) {
    output.write(channel);
    output.write("\t");
  }
  output.write_line(body);
}

}  // namespace

void MessageText::append(const Message& message, Output& output) const {
  switch (format) {
    case Format::kRaw:
      return output.write(message.text());
    case Format::kJson:
      return output.write_line(json_of(message));
    case Format::kHex:
      return append_line(*this, message.channel(), hex(message.payload()), output);
    case Format::kText:
      if (reader == Reader::kProgram) {
        return append_line(*this, message.channel(), message.text(), output);
      }
      return append_line(*this, message.channel(), escaped(message.text()), output);
  }
}

Result<MessageText::Format> parse_format(std::string_view text) {
  if (text == "text") return MessageText::Format::kText;
  if (text == "hex") return MessageText::Format::kHex;
  if (text == "json") return MessageText::Format::kJson;
  if (text == "raw") return MessageText::Format::kRaw;
  return failure(ExitCode::kUsage,
                 "'" + std::string(text) + "' is no format: write text, hex, json or raw");
}

}  // namespace orzatty::apps
