#include "wire/reader.h"

#include "base/utf8.h"

namespace orzatty::wire {

namespace {

// What a failed read yields in place of a name; finish() keeps it from ever getting out.
ChannelName no_name() { return ChannelName::of(0); }

}  // namespace

std::string Reader::read_text(std::size_t size_max) {
  const BytesView text = read_bytes(size_max);
  if (!require(base::is_utf8(text), ErrorCode::kTextInvalid)) return {};
  return std::string(text_of(text));
}

ChannelName Reader::read_channel_name() {
  const BytesView text = read_slice(read_varint());
  if (!ok()) return no_name();
  auto name = ChannelName::parse(text_of(text));
  if (!require(name.has_value(), ErrorCode::kNameInvalid)) return no_name();
  return *std::move(name);
}

ChannelPattern Reader::read_channel_pattern() {
  const BytesView text = read_slice(read_varint());
  if (!ok()) return ChannelPattern::exactly(no_name());
  auto pattern = ChannelPattern::parse(text_of(text));
  if (!require(pattern.has_value(), ErrorCode::kNameInvalid)) {
    return ChannelPattern::exactly(no_name());
  }
  return *std::move(pattern);
}

}  // namespace orzatty::wire
