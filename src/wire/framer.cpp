#include "wire/framer.h"

#include "base/assert.h"

namespace orzatty::wire {

namespace {

constexpr std::uint64_t kControlFrames = 0xffff'ffff;

}  // namespace

Framer::Framer(std::uint32_t message_size_max, std::uint32_t control_size_max)
    : cutter_({.message_size_max = message_size_max, .control_size_max = control_size_max}),
      allowed_{.bits = kControlFrames | (message_size_max > 0 ? FrameSet::kMessages : 0)} {}

void Framer::feed(BytesView input) {
  if (fault_) return;
  ORZATTY_ASSERT(input_.empty());
  input_ = input;
}

std::expected<std::optional<Frame>, ProtocolError> Framer::next() {
  if (fault_) return std::unexpected(*fault_);
  auto frame = cutter_.cut(input_, allowed_);
  if (!frame) fault_ = frame.error();
  return frame;
}

}  // namespace orzatty::wire
