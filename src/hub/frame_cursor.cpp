#include "hub/frame_cursor.h"

#include <algorithm>
#include <array>

#include "wire/varint.h"

namespace orzatty::hub {

namespace {

// A frame's header may lie in two segments.
void skip_frame(base::LogCursor& cursor) {
  std::array<std::byte, 9> header{};  // byte 0 and the longest varint
  base::LogCursor reading = cursor;
  std::size_t filled = 0;
  for (std::size_t wanted = 2; filled < wanted;) {
    const base::Piece piece = base::Log::take(reading, wanted - filled);
    std::ranges::copy(piece.bytes, header.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += piece.bytes.size();
    if (filled >= 2) wanted = 1 + (std::size_t{1} << (std::to_integer<unsigned>(header[1]) >> 6));
  }
  const wire::DecodedVarint length = wire::decode_varint(BytesView(header).subspan(1));
  base::Log::skip(cursor, 1 + length.size + length.value);
}

}  // namespace

void skip_frames(base::LogCursor& cursor, std::uint64_t count) {
  for (; count > 0; --count) skip_frame(cursor);
}

}  // namespace orzatty::hub
