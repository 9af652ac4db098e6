#include "wire/consumed.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

namespace {

constexpr std::size_t kPositionSizeMin = 3;  // three varints

}  // namespace

std::expected<void, ProtocolError> decode_consumed(BytesView body, Consumed& into) {
  Reader reader(body, "CONSUMED");
  into.positions.clear();
  into.nonce = reader.read_u32();
  for (auto left = reader.read_count(kPositionSizeMin); left > 0 && reader.ok(); --left) {
    into.positions.push_back({.subscription = reader.read_id<SubscriptionId>(),
                              .alias = reader.read_id<ChannelAlias>(),
                              .next = reader.read_id<Offset>()});
  }
  return reader.finish();
}

void encode(const Consumed& consumed, Bytes& out) {
  Writer writer(out, FrameType::kConsumed);
  writer.write_u32(consumed.nonce);
  writer.write_varint(consumed.positions.size());
  for (const ConsumedPosition& position : consumed.positions) {
    writer.write_varint(position.subscription.value());
    writer.write_varint(position.alias.value());
    writer.write_varint(position.next.value());
  }
  writer.finish();
}

}  // namespace orzatty::wire
