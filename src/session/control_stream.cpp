#include "session/control_stream.h"

namespace orzatty::session {

// No message may stand here at all.
ControlStream::ControlStream(std::uint32_t frame_size_max, Scratch& scratch, SendTable& sends)
    : framer_(0, frame_size_max), scratch_(scratch), sends_(sends) {}

std::expected<std::optional<wire::Frame>, ProtocolError> ControlStream::next() {
  auto frame = framer_.next();
  if (frame && *frame && !(*frame)->is_control()) {
    return std::unexpected(ProtocolError{ErrorCode::kFrameUnexpected, "a message on control"});
  }
  return frame;
}

bool ControlStream::write() { return scratch_.write(out_, sends_.queue(kControlKey)); }

}  // namespace orzatty::session
