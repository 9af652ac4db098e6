// Property: a channel stream of a hostile peer gives messages at positions without a hole but those
// that a mark names, in channels and of producers that were introduced; its reader holds no more
// than was fed, and reads the same however the stream is split.
#include "wire/channel_stream.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "wire/message.h"

namespace {

using namespace orzatty;

struct SeenMessage {
  std::uint64_t channel = 0;
  std::uint64_t producer = 0;
  std::uint64_t position = 0;
  std::uint32_t nonce = 0;
  Bytes payload;
  bool operator==(const SeenMessage&) const = default;
};

// What a stream said, and what of it was introduced: a second opinion, kept as simply as can be.
class Reading {
 public:
  void take(const wire::ChannelStreamItem& item) {
    if (const auto* messages = std::get_if<wire::Messages>(&item)) return take_messages(*messages);
    ++marks_;
    if (const auto* publish = std::get_if<wire::Publish>(&item)) {
      introduce(0, publish->next.value());
      producers_.insert(0);
    } else if (std::holds_alternative<wire::Direct>(item)) {
      introduce(0, std::nullopt);
      producers_.insert(0);
    } else if (const auto* alias = std::get_if<wire::Alias>(&item)) {
      introduce(alias->alias.value(), alias->next.value());
    } else if (const auto* producer = std::get_if<wire::Producer>(&item)) {
      ORZATTY_ASSERT(producers_.insert(producer->alias.value()).second);
    } else if (const auto* gap = std::get_if<wire::GapMark>(&item)) {
      move(gap->alias.value(), gap->from.value(), gap->to.value());
    } else if (const auto* skip = std::get_if<wire::Skip>(&item)) {
      move(0, skip->from.value(), skip->to.value());
    }
  }
  void end(ErrorCode fault) { fault_ = fault; }
  bool operator==(const Reading&) const = default;

 private:
  void introduce(std::uint64_t channel, std::optional<std::uint64_t> next) {
    ORZATTY_ASSERT(next_.emplace(channel, next).second);
  }
  void move(std::uint64_t channel, std::uint64_t from, std::uint64_t to) {
    auto& next = next_.at(channel);
    ORZATTY_ASSERT(next.value_or(from) == from && from < to);
    next = to;
  }
  void take_messages(const wire::Messages& messages) {
    ORZATTY_ASSERT(producers_.contains(messages.producer.value()) && messages.count > 0);
    move(messages.channel.value(), messages.first, messages.first + messages.count);
    std::uint64_t position = messages.first;
    for (const wire::MessageView& message : wire::MessageRange(messages.bytes)) {
      messages_.push_back({messages.channel.value(), messages.producer.value(), position++,
                           messages.nonce, copy_of(message.payload)});
    }
    ORZATTY_ASSERT(position == messages.first + messages.count);
  }

  std::map<std::uint64_t, std::optional<std::uint64_t>> next_;  // by channel
  std::set<std::uint64_t> producers_;
  std::vector<SeenMessage> messages_;
  std::uint64_t marks_ = 0;
  ErrorCode fault_ = ErrorCode::kNone;
};

Reading read(BytesView bytes, std::size_t step, wire::StreamOpener opener) {
  Reading reading;
  wire::ChannelStreamReader reader(opener, 4096);
  std::size_t fed = 0;
  while (!bytes.empty()) {
    const Bytes part = copy_of(bytes.first(std::min(step, bytes.size())));
    bytes = bytes.subspan(part.size());
    fed += part.size();
    reader.feed(part);
    while (true) {
      const auto item = reader.next();
      if (!item) {
        reading.end(item.error().code);
        return reading;
      }
      if (std::holds_alternative<wire::NeedMore>(*item)) break;
      reading.take(*item);
    }
    ORZATTY_ASSERT(reader.held() <= fed);
  }
  return reading;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const BytesView bytes = std::as_bytes(std::span(data, size));
  for (const auto opener : {wire::StreamOpener::kClient, wire::StreamOpener::kServer}) {
    const Reading whole = read(bytes, size, opener);
    ORZATTY_ASSERT(read(bytes, 1, opener) == whole);
    ORZATTY_ASSERT(read(bytes, 2 + data[size - 1] % 30, opener) == whole);
  }
  return 0;
}
