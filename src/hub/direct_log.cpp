#include "hub/direct_log.h"

#include <array>

#include "wire/message.h"
#include "wire/run.h"

namespace orzatty::hub {

DirectLog::DirectLog(session::StreamKey stream, std::size_t size_max)
    : stream_(stream),
      pool_(size_max + base::SegmentPool::kSizeMax, size_max / 4),
      log_(pool_, base::SegmentPool::kSizeMin),
      cursor_(log_.begin()) {}

bool DirectLog::append(MessageType type, BytesView payload) {
  std::array<std::byte, 16> header;
  const std::size_t size = wire::encode_message_header(header, type, payload.size());
  if (!log_.append(BytesView(header).first(size), payload, 1)) return false;
  ++appended_;
  return true;
}

bool DirectLog::refill(session::SendQueue& queue, session::SessionCore& core,
                       session::Scratch& marks) {
  std::uint64_t rest = log_.end().position - cursor_.position;
  if (rest == 0) return true;
  mark_.clear();
  wire::encode(wire::Run{.channel = ChannelAlias(0),
                         .producer = ProducerAlias(0),
                         .first = sent_,
                         .size = rest,
                         .nonce = core.draw_nonce()},
               mark_);
  if (!marks.write(mark_, queue)) return false;
  sent_ = appended_;
  while (rest > 0) {
    base::Piece piece = base::Log::take(cursor_, rest);
    rest -= piece.bytes.size();
    queue.push(std::move(piece));
  }
  log_.trim(cursor_);  // the queue's pins keep what is needed
  return true;
}

}  // namespace orzatty::hub
