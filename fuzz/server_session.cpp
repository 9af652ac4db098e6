// Property: whatever a peer sends, on the control stream and on others, before and after it was let
// in, a server's session neither aborts nor holds more than its limits, and says nothing but CLOSE
// once it has failed.
#include <algorithm>
#include <cstdint>

#include "base/assert.h"
#include "session/server_session.h"

namespace {

using namespace orzatty;

constexpr Instant kNow{};

Limits small_limits() {
  Limits limits;
  limits.message_size_max = 4096;
  limits.reassembly_size_max = 16 * 1024;
  limits.publication_count_max = 4;
  return limits;
}

void drain(session::ServerSession& session) {
  while (auto output = session.poll()) {
    if (std::holds_alternative<session::HelloReceived>(*output)) {
      session.welcome({.version = 1,
                       .features = 0,
                       .session = {},
                       .resumed = false,
                       .identity = "fuzz",
                       .message_size_max = 4096,
                       .heartbeat_interval = std::chrono::seconds(5),
                       .dead_after = std::chrono::seconds(10),
                       .producers = {}},
                      kNow);
    } else if (const auto* messages = std::get_if<session::PublicationMessages>(&*output)) {
      session.core().consumed(messages->stream, messages->frames.size());
    }
  }
}

}  // namespace

// Chunks: a byte that names the stream (0: control), a byte for the size, and so many bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Limits limits = small_limits();
  session::ServerSession session(limits, 1, kNow);
  BytesView rest = std::as_bytes(std::span(data, size));
  while (rest.size() >= 2) {
    const auto stream = std::to_integer<std::uint8_t>(rest[0]);
    const auto wanted = std::to_integer<std::size_t>(rest[1]);
    rest = rest.subspan(2);
    const BytesView chunk = rest.first(std::min(wanted, rest.size()));
    rest = rest.subspan(chunk.size());
    if (stream % 8 == 0) {
      session.handle_control(chunk, session::Fin::kNo, kNow);
    } else {
      const auto fin = stream >= 0x80 ? session::Fin::kYes : session::Fin::kNo;
      session.handle_stream(session::RemoteStream(stream % 8), chunk, fin, kNow);
    }
    drain(session);
    ORZATTY_ASSERT(session.core().held() <=
                   limits.reassembly_size_max + limits.control_frame_size_max + chunk.size());
  }
  return 0;
}
