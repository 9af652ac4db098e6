// Property: what is read of a datagram, of either side, is what stands there: its numbers and its frames
// written again are the same bytes, and the frames are whole and as many as is said.
#include <algorithm>
#include <cstdint>
#include <span>

#include "base/assert.h"
#include "wire/datagram.h"
#include "wire/message.h"

namespace {

using namespace orzatty;

template <class Datagram>
void check(BytesView bytes, const std::expected<Datagram, ProtocolError>& decoded) {
  if (!decoded) {
    ORZATTY_ASSERT(decoded.error().code != ErrorCode::kNone);
    return;
  }
  wire::DatagramHeader header;
  const std::size_t size = wire::encode_header(*decoded, header);
  ORZATTY_ASSERT(size + decoded->frames.size() == bytes.size());
  ORZATTY_ASSERT(std::ranges::equal(BytesView(header).first(size), bytes.first(size)));
  const Bytes frames = copy_of(decoded->frames);  // of just their size, for the sanitizer
  std::uint64_t count = 0;
  for (const wire::MessageView& message : wire::MessageRange(frames)) {
    ORZATTY_ASSERT(message.frame_size <= wire::kDatagramFrameSizeMax);
    ++count;
  }
  ORZATTY_ASSERT(count == decoded->count && count > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes = std::as_bytes(std::span(data, size));
  check(bytes, wire::decode_publish_datagram(bytes));
  check(bytes, wire::decode_deliver_datagram(bytes));
  return 0;
}
