#include "wire/ack.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

namespace {

constexpr std::size_t kRunSizeMin = 5;  // five varints
constexpr std::uint64_t kDuplicate = 1;
constexpr std::uint64_t kForgotten = 2;

// spec: STREAM-5
AckRun read_run(Reader& reader) {
  AckRun run{.publication = reader.read_id<PublicationId>(),
             .first = reader.read_id<Sequence>(),
             .count = reader.read_varint(),
             .first_offset = reader.read_id<Offset>()};
  const std::uint64_t flags = reader.read_varint();
  run.duplicate = (flags & kDuplicate) != 0;
  run.forgotten = (flags & kForgotten) != 0;
  const bool told_nothing = run.duplicate && run.first_offset == Offset(0);
  reader.require(flags <= (kDuplicate | kForgotten) && (!run.forgotten || told_nothing),
                 ErrorCode::kFrameMalformed);
  reader.require(run.count <= kVarintMax - run.first.value() &&
                     run.count <= kVarintMax - run.first_offset.value(),
                 ErrorCode::kSequenceInvalid);
  return run;
}

}  // namespace

std::expected<void, ProtocolError> decode_ack(BytesView body, Ack& into) {
  Reader reader(body, "ACK");
  into.runs.clear();
  into.nonce = reader.read_u32();
  into.level = reader.read_enum(AckLevel::kMemory);
  for (auto left = reader.read_count(kRunSizeMin); left > 0 && reader.ok(); --left) {
    into.runs.push_back(read_run(reader));
  }
  return reader.finish();
}

void encode(const Ack& ack, Bytes& out) {
  Writer writer(out, FrameType::kAck);
  writer.write_u32(ack.nonce);
  writer.write_varint(static_cast<std::uint64_t>(ack.level));
  writer.write_varint(ack.runs.size());
  for (const AckRun& run : ack.runs) {
    writer.write_varint(run.publication.value());
    writer.write_varint(run.first.value());
    writer.write_varint(run.count);
    writer.write_varint(run.first_offset.value());
    writer.write_varint((run.duplicate ? kDuplicate : 0) | (run.forgotten ? kForgotten : 0));
  }
  writer.finish();
}

}  // namespace orzatty::wire
