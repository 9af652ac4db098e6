// Channel streams as a sender would write them, and what a reader made of them.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/channel_stream.h"
#include "wire/message.h"
#include "wire/test_bytes.h"

namespace orzatty::wire::test {

inline ChannelName channel(std::string_view text) { return ChannelName::parse(text).value(); }

// Writes one stream, frame by frame.
class StreamWriter {
 public:
  template <class X>
  StreamWriter& add(const X& frame) {
    encode(frame, bytes_);
    return *this;
  }
  StreamWriter& raw(BytesView bytes) {
    append(bytes_, bytes);
    return *this;
  }
  StreamWriter& publish(std::uint64_t next = 0) {
    return add(Publish{.publication = PublicationId(1),
                       .producer = {},
                       .epoch = ProducerEpoch(1),
                       .next = Sequence(next),
                       .channel = channel("a")});
  }
  StreamWriter& deliver() { return add(Deliver{SubscriptionId(1)}); }
  StreamWriter& alias(std::uint64_t alias, std::uint64_t next,
                      DeliveryMode mode = DeliveryMode::kReliable) {
    return add(Alias{ChannelAlias(alias), ChannelEpoch(1), Offset(next), channel("a"), mode});
  }
  StreamWriter& producer(std::uint64_t alias) {
    return add(Producer{ProducerAlias(alias), {}, "alice"});
  }
  // A run of messages with payloads of these sizes.
  StreamWriter& run(std::uint64_t first, const std::vector<std::size_t>& sizes,
                    std::uint64_t channel_alias = 0, std::uint64_t producer_alias = 0) {
    Bytes frames;
    for (const std::size_t size : sizes) {
      std::array<std::byte, 16> header;
      append(frames,
             BytesView(header).first(encode_message_header(header, MessageType::kText, size)));
      frames.insert(frames.end(), size, std::byte{'m'});
    }
    add(wire::Run{.channel = ChannelAlias(channel_alias),
                  .producer = ProducerAlias(producer_alias),
                  .first = first,
                  .size = frames.size(),
                  .nonce = static_cast<std::uint32_t>(first) + 1});
    return raw(frames);
  }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

// What a reader yielded, one line each; a message has its position, whoever it came with.
struct Reading {
  std::vector<std::string> lines;
  ErrorCode fault = ErrorCode::kNone;
  bool at_boundary = false;
  bool operator==(const Reading&) const = default;
};

inline void note_messages(const Messages& messages, Reading& reading) {
  std::uint64_t position = messages.first;
  for (const MessageView& message : MessageRange(messages.bytes)) {
    reading.lines.push_back("message " + std::to_string(messages.channel.value()) + "/" +
                            std::to_string(messages.producer.value()) + " at " +
                            std::to_string(position++) + " nonce " +
                            std::to_string(messages.nonce) + " size " +
                            std::to_string(message.payload.size()));
  }
  if (position != messages.first + messages.count) reading.lines.push_back("a wrong count");
}

inline void note(const ChannelStreamItem& item, Reading& reading) {
  if (const auto* messages = std::get_if<Messages>(&item)) return note_messages(*messages, reading);
  if (const auto* alias = std::get_if<Alias>(&item)) {
    reading.lines.push_back("alias " + std::to_string(alias->alias.value()));
  } else if (const auto* gap = std::get_if<GapMark>(&item)) {
    reading.lines.push_back("gap to " + std::to_string(gap->to.value()));
  } else if (const auto* skip = std::get_if<Skip>(&item)) {
    reading.lines.push_back("skip to " + std::to_string(skip->to.value()));
  } else {
    reading.lines.push_back("item " + std::to_string(item.index()));
  }
}

// False after an error.
inline bool feed(ChannelStreamReader& reader, BytesView part, Reading& reading) {
  reader.feed(part);
  while (true) {
    const auto item = reader.next();
    if (!item) {
      reading.fault = item.error().code;
      return false;
    }
    if (std::holds_alternative<NeedMore>(*item)) return true;
    note(*item, reading);
  }
}

inline constexpr std::uint32_t kMessageSizeMax = 100'000;

inline Reading read_in_parts(StreamOpener opener, BytesView stream, std::size_t part_size) {
  ChannelStreamReader reader(opener, kMessageSizeMax);
  Reading reading;
  for (std::size_t at = 0; at < stream.size(); at += part_size) {
    const Bytes part = copy_of(stream.subspan(at, std::min(part_size, stream.size() - at)));
    if (!feed(reader, part, reading)) break;
  }
  reading.at_boundary = reader.at_boundary();
  return reading;
}

inline Reading read_split_at(StreamOpener opener, BytesView stream, std::size_t split) {
  ChannelStreamReader reader(opener, kMessageSizeMax);
  Reading reading;
  const Bytes first = copy_of(stream.first(split));
  const Bytes second = copy_of(stream.subspan(split));
  if (feed(reader, first, reading)) feed(reader, second, reading);
  reading.at_boundary = reader.at_boundary();
  return reading;
}

}  // namespace orzatty::wire::test
