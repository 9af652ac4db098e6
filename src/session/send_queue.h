// What one stream has yet to send, and what the transport still holds of it: a queue of pinned pieces
// of logs. A piece's memory stays until the transport acknowledged its last byte.
//
// Steady state allocates nothing. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/log.h"
#include "base/ring.h"
#include "orzatty/bytes.h"

namespace orzatty::session {

class SendQueue {
 public:
  void push(base::Piece piece);

  // Views of what was not taken yet, from its front; gives how many there are.
  std::size_t peek(std::span<BytesView> out) const;
  // The transport took `size` more bytes, and keeps pointing at them.
  void taken(std::uint64_t size);
  // It needs `size` of them no longer, in the order in which it took them.
  void acked(std::uint64_t size);
  // The transport is gone.
  void clear();

  [[nodiscard]] std::uint64_t unsent() const { return unsent_; }
  [[nodiscard]] std::uint64_t in_flight() const { return in_flight_; }

 private:
  base::Ring<base::Piece> pieces_;
  std::size_t next_ = 0;          // the first piece with bytes that were not taken
  std::size_t next_offset_ = 0;   // and where in it they begin
  std::size_t acked_offset_ = 0;  // how much of the front piece was acknowledged
  std::uint64_t unsent_ = 0;
  std::uint64_t in_flight_ = 0;
};

}  // namespace orzatty::session
