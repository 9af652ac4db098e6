#include "wire/skip.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

// spec: STREAM-8
std::expected<Skip, ProtocolError> decode_skip(BytesView body) {
  Reader reader(body, "SKIP");
  const Skip skip{.from = reader.read_id<Sequence>(),
                  .to = reader.read_id<Sequence>(),
                  .reason = reader.read_enum(GapReason::kLost)};
  reader.require(skip.to > skip.from, ErrorCode::kRangeEmpty);
  return reader.finish(skip);
}

void encode(const Skip& skip, Bytes& out) {
  Writer writer(out, FrameType::kSkip);
  writer.write_varint(skip.from.value());
  writer.write_varint(skip.to.value());
  writer.write_varint(static_cast<std::uint64_t>(skip.reason));
  writer.finish();
}

}  // namespace orzatty::wire
