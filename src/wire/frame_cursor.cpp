#include "wire/frame_cursor.h"

#include <algorithm>
#include <array>

#include "wire/varint.h"

namespace orzatty::wire {

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
  const DecodedVarint length = decode_varint(BytesView(header).subspan(1));
  base::Log::skip(cursor, 1 + length.size + length.value);
}

}  // namespace

void skip_frames(base::LogCursor& cursor, std::uint64_t count) {
  for (; count > 0; --count) skip_frame(cursor);
}

FramesAhead frames_within(base::LogCursor cursor, std::uint64_t available, std::uint64_t size_max) {
  const std::uint64_t begin = cursor.position;
  FramesAhead ahead;
  while (ahead.size < available) {
    skip_frame(cursor);
    const std::uint64_t size = cursor.position - begin;
    if (ahead.count > 0 && size > size_max) break;
    ahead = {ahead.count + 1, size};
  }
  return ahead;
}

}  // namespace orzatty::wire
