#include "session/datagram_offer.h"

#include "base/assert.h"

namespace orzatty::session {

// Segments have 512 bytes and more, so that a datagram lies in a few of them.
void fill_datagram(Offer& offer, BytesView header, base::LogCursor begin, std::uint64_t size) {
  offer.span_count = 0;
  offer.spans[offer.span_count++] = header;
  while (size > 0) {
    ORZATTY_ASSERT(offer.span_count < Offer::kSpanMax);
    const base::Piece piece = base::Log::take(begin, size);
    offer.spans[offer.span_count++] = piece.bytes;
    size -= piece.bytes.size();
  }
}

}  // namespace orzatty::session
