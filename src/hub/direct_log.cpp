#include "hub/direct_log.h"

#include <algorithm>
#include <array>

#include "base/planted.h"
#include "session/outbox.h"
#include "wire/frame_cursor.h"
#include "wire/message.h"
#include "wire/run.h"

namespace orzatty::hub {

DirectLog::DirectLog(const Limits& limits)
    : DirectLog(std::max<std::size_t>(session::outbox_size(limits).first,
                                      limits.message_size_max)) {}

DirectLog::DirectLog(std::size_t size_max)
    : pool_(size_max + base::SegmentPool::kSizeMax, size_max / 4),
      log_(pool_, base::SegmentPool::kSizeMin),
      cursor_(log_.begin()) {}

base::LogCursor DirectLog::kept() const { return runs_.empty() ? cursor_ : runs_.front().begin; }

// A run of which a part was acknowledged is kept whole: the rest may begin inside a message.
// spec: RESUME-4
bool DirectLog::open(session::StreamKey stream, std::size_t preface_size, Sequence next) {
  if (next > appended_) return false;
  base::LogCursor cursor = kept();
  const Sequence first = runs_.empty() ? sent_ : runs_.front().first;
  sent_ = std::max(next, first);
  if (base::planted(base::PlantedBug::kDirectSkipsOne) && sent_ < appended_) sent_ += 1;
  wire::skip_frames(cursor, sent_ - first);
  cursor_ = cursor;
  runs_.clear();
  log_.trim(cursor_);
  stream_ = stream;
  stream_bytes_ = preface_size;
  acked_bytes_ = 0;
  return true;
}

bool DirectLog::append(MessageType type, BytesView payload, const MessageAttributes& attributes) {
  std::array<std::byte, wire::kMessageHeaderSizeMax> header;
  const std::size_t size = wire::encode_message_header(header, type, attributes, payload.size());
  if (!log_.append(BytesView(header).first(size), payload, 1)) return false;
  appended_ += 1;
  return true;
}

bool DirectLog::refill(session::SendQueue& queue, session::SessionCore& core,
                       session::Scratch& marks) {
  std::uint64_t rest = log_.end().position - cursor_.position;
  if (rest == 0) return true;
  mark_.clear();
  wire::encode(wire::Run{.channel = ChannelAlias(0),
                         .producer = ProducerAlias(0),
                         .first = sent_.value(),
                         .size = rest,
                         .nonce = core.draw_nonce()},
               mark_);
  if (!marks.write(mark_, queue)) return false;
  stream_bytes_ += mark_.size() + rest;
  runs_.push_back({sent_, cursor_, stream_bytes_});
  sent_ = appended_;
  while (rest > 0) {
    base::Piece piece = base::Log::take(cursor_, rest);
    rest -= piece.bytes.size();
    queue.push(std::move(piece));
  }
  return true;
}

// What the transport has acknowledged the client has been given, as it gives bytes in order before
// it acknowledges them.
void DirectLog::acked(std::uint64_t size) {
  acked_bytes_ += size;
  const std::size_t before = runs_.size();
  while (!runs_.empty() && runs_.front().end <= acked_bytes_) runs_.pop_front();
  if (runs_.size() != before) log_.trim(kept());
}

}  // namespace orzatty::hub
