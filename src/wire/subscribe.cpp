#include "wire/subscribe.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

namespace {

// channel, epoch, offset
constexpr std::size_t kPositionSizeMin = 2 + 8 + 1;

SubscribePosition read_position(Reader& reader) {
  return {.channel = reader.read_channel_name(),
          .epoch = ChannelEpoch(reader.read_u64()),
          .next = reader.read_id<Offset>()};
}

}  // namespace

std::expected<Subscribe, ProtocolError> decode_subscribe(BytesView body) {
  Reader reader(body, "SUBSCRIBE");
  Subscribe subscribe{.subscription = reader.read_id<SubscriptionId>(),
                      .pattern = reader.read_channel_pattern(),
                      .start = {.kind = reader.read_enum(StartPosition::Kind::kStart),
                                .value = reader.read_varint()},
                      .positions = {}};
  for (auto left = reader.read_count(kPositionSizeMin); left > 0 && reader.ok(); --left) {
    subscribe.positions.push_back(read_position(reader));
  }
  return reader.finish(std::move(subscribe));
}

void encode(const Subscribe& subscribe, Bytes& out) {
  Writer writer(out, FrameType::kSubscribe);
  writer.write_varint(subscribe.subscription.value());
  writer.write_text(subscribe.pattern.text());
  writer.write_varint(static_cast<std::uint64_t>(subscribe.start.kind));
  writer.write_varint(subscribe.start.value);
  writer.write_varint(subscribe.positions.size());
  for (const SubscribePosition& position : subscribe.positions) {
    writer.write_text(position.channel.text());
    writer.write_u64(position.epoch.value());
    writer.write_varint(position.next.value());
  }
  writer.finish();
}

}  // namespace orzatty::wire
