// A small log for what a session itself has to say: control frames, run headers and marks. Bytes are
// written once, queued on a stream as pinned pieces, and come back to the pool when acknowledged.
//
// One per session, one thread. Bounded by its pool: a peer that leaves replies unread meets the bound
// and is closed.
#pragma once

#include <cstddef>

#include "base/log.h"
#include "orzatty/bytes.h"
#include "session/send_queue.h"

namespace orzatty::session {

class Scratch {
 public:
  // Small segments, of which few are kept: ten thousand quiet sessions stay small, and one byte that
  // is not acknowledged holds no more than this.
  static constexpr std::uint32_t kSegmentMax = 4096;
  static constexpr std::size_t kKept = 4 * kSegmentMax;

  explicit Scratch(std::size_t size_max);

  // False when the bound is met: nothing was queued.
  [[nodiscard]] bool write(BytesView bytes, SendQueue& queue);
  [[nodiscard]] std::size_t in_use() const { return pool_.in_use(); }

 private:
  base::SegmentPool pool_;
  base::Log log_;
  base::LogCursor written_;
};

}  // namespace orzatty::session
