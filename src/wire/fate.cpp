#include "wire/fate.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

namespace {

constexpr std::size_t kRunSizeMin = 4;  // four varints

// spec: FATE-1, CONTROL-1
FateRun read_run(Reader& reader) {
  FateRun run{.first = reader.read_id<Sequence>(),
              .count = reader.read_varint(),
              .kind = reader.read_enum(FateKind::kForgotten),
              .value = reader.read_varint()};
  reader.require(run.count > 0, ErrorCode::kRangeEmpty);
  reader.require(run.count <= kVarintMax - run.first.value(), ErrorCode::kSequenceInvalid);
  return run;
}

}  // namespace

std::expected<Fate, ProtocolError> decode_fate(BytesView body) {
  Reader reader(body, "FATE");
  Fate fate{.question = reader.read_varint(),
            .producer = {reader.read_array<16>()},
            .epoch = reader.read_id<ProducerEpoch>(),
            .channel = reader.read_channel_name(),
            .runs = {}};
  for (auto left = reader.read_count(kRunSizeMin); left > 0 && reader.ok(); --left) {
    const FateRun run = read_run(reader);
    const bool dense =
        fate.runs.empty() || fate.runs.back().first + fate.runs.back().count == run.first;
    reader.require(dense, ErrorCode::kSequenceInvalid);
    fate.runs.push_back(run);
  }
  return reader.finish(std::move(fate));
}

void encode(const Fate& fate, Bytes& out) {
  Writer writer(out, FrameType::kFate);
  writer.write_varint(fate.question);
  writer.write_raw(fate.producer.bytes);
  writer.write_varint(fate.epoch.value());
  writer.write_text(fate.channel.text());
  writer.write_varint(fate.runs.size());
  for (const FateRun& run : fate.runs) {
    writer.write_varint(run.first.value());
    writer.write_varint(run.count);
    writer.write_varint(static_cast<std::uint64_t>(run.kind));
    writer.write_varint(run.value);
  }
  writer.finish();
}

}  // namespace orzatty::wire
