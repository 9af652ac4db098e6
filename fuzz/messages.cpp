// Property: scan_messages, which is fast, finds the very messages and the very fault that a cutter
// finds which takes one frame after the other, and MessageRange walks what it let pass.
#include <cstdint>
#include <optional>
#include <span>

#include "base/assert.h"
#include "wire/attributes.h"
#include "wire/frame_cutter.h"
#include "wire/message.h"

namespace {

using namespace orzatty;

constexpr std::uint32_t kMessageSizeMax = 1000;

wire::MessageScan cut_one_by_one(BytesView bytes) {
  constexpr wire::FrameSet kMessagesOnly{.bits = wire::FrameSet::kMessages};
  wire::FrameCutter cutter({.message_size_max = kMessageSizeMax});
  wire::MessageScan scan;
  while (true) {
    const auto frame = cutter.cut(bytes, kMessagesOnly);
    if (!frame) {
      scan.fault = frame.error();
    } else if (*frame) {
      scan.fault = wire::check_message_body((*frame)->head, (*frame)->body);
    }
    if (!frame || !*frame || scan.fault) return scan;
    scan.size += (*frame)->whole.size();
    ++scan.count;
  }
}

void walk(BytesView frames, std::uint64_t count) {
  std::size_t size = 0;
  for (const wire::MessageView& message : wire::MessageRange(frames)) {
    ORZATTY_ASSERT(count > 0 && message.frame_size >= 2);
    --count;
    size += message.frame_size;
    ORZATTY_ASSERT(message.attributes.size() + message.payload.size() + 2 <= message.frame_size);
    ORZATTY_ASSERT(wire::decode_attributes(message.attributes).has_value());
  }
  ORZATTY_ASSERT(count == 0 && size == frames.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes = std::as_bytes(std::span(data, size));
  const wire::MessageScan scan = wire::scan_messages(bytes, kMessageSizeMax);
  const wire::MessageScan slow = cut_one_by_one(bytes);
  ORZATTY_ASSERT(scan.size == slow.size && scan.count == slow.count);
  ORZATTY_ASSERT(scan.fault.has_value() == slow.fault.has_value());
  ORZATTY_ASSERT(!scan.fault || scan.fault->code == slow.fault->code);
  const Bytes frames = copy_of(bytes.first(scan.size));  // of just their size, for the sanitizer
  walk(frames, scan.count);
  return 0;
}
