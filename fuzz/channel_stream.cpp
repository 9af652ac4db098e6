// Property: a channel stream of a hostile peer gives messages at positions without a hole, holds no
// more than was fed, and means the same however it is split.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "wire/channel_stream.h"
#include "wire/message.h"

namespace {

using namespace orzatty;

struct Seen {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t marks = 0;
  ErrorCode fault = ErrorCode::kNone;
  bool operator==(const Seen&) const = default;
};

void look_at(const wire::Messages& messages, Seen& seen) {
  std::uint64_t count = 0;
  for (const wire::MessageView message : wire::MessageRange(messages.bytes)) {
    ORZATTY_ASSERT(message.payload.size() <= message.frame_size);
    ++count;
  }
  ORZATTY_ASSERT(count == messages.count);
  seen.messages += count;
  seen.bytes += messages.bytes.size();
}

Seen read(BytesView bytes, std::size_t step, wire::StreamOpener opener) {
  Seen seen;
  wire::ChannelStreamReader reader(opener, 4096);
  std::size_t fed = 0;
  while (!bytes.empty()) {
    const std::size_t size = std::min(step, bytes.size());
    fed += size;
    reader.feed(bytes.first(size));
    bytes = bytes.subspan(size);
    while (true) {
      const auto item = reader.next();
      if (!item) {
        seen.fault = item.error().code;
        return seen;
      }
      if (std::holds_alternative<wire::NeedMore>(*item)) break;
      if (const auto* messages = std::get_if<wire::Messages>(&*item)) {
        look_at(*messages, seen);
      } else {
        ++seen.marks;
      }
    }
    ORZATTY_ASSERT(reader.held() <= fed);
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const BytesView bytes = std::as_bytes(std::span(data, size));
  for (const auto opener : {wire::StreamOpener::kClient, wire::StreamOpener::kServer}) {
    const Seen whole = read(bytes, size, opener);
    ORZATTY_ASSERT(read(bytes, 1, opener) == whole);
  }
  return 0;
}
