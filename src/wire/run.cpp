#include "wire/run.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

// spec: STREAM-4
std::expected<Run, ProtocolError> decode_run(BytesView body) {
  Reader reader(body, "RUN");
  const Run run{.channel = reader.read_id<ChannelAlias>(),
                .producer = reader.read_id<ProducerAlias>(),
                .first = reader.read_varint(),
                .size = reader.read_varint(),
                .nonce = reader.read_u32()};
  reader.require(run.size > 0, ErrorCode::kRangeEmpty);
  reader.require(run.size <= kRunSizeMax, ErrorCode::kFrameTooLarge);
  return reader.finish(run);
}

void encode(const Run& run, Bytes& out) {
  Writer writer(out, FrameType::kRun);
  writer.write_varint(run.channel.value());
  writer.write_varint(run.producer.value());
  writer.write_varint(run.first);
  writer.write_varint(run.size);
  writer.write_u32(run.nonce);
  writer.finish();
}

}  // namespace orzatty::wire
