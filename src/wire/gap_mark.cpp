#include "wire/gap_mark.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

// spec: STREAM-8
std::expected<GapMark, ProtocolError> decode_gap_mark(BytesView body) {
  Reader reader(body, "GAP");
  const GapMark gap{.alias = reader.read_id<ChannelAlias>(),
                    .from = reader.read_id<Offset>(),
                    .to = reader.read_id<Offset>(),
                    .reason = reader.read_enum(GapReason::kLost)};
  reader.require(gap.to > gap.from, ErrorCode::kRangeEmpty);
  return reader.finish(gap);
}

void encode(const GapMark& gap, Bytes& out) {
  Writer writer(out, FrameType::kGap);
  writer.write_varint(gap.alias.value());
  writer.write_varint(gap.from.value());
  writer.write_varint(gap.to.value());
  writer.write_varint(static_cast<std::uint64_t>(gap.reason));
  writer.finish();
}

}  // namespace orzatty::wire
