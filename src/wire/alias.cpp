#include "wire/alias.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

std::expected<Alias, ProtocolError> decode_alias(BytesView body) {
  Reader reader(body, "ALIAS");
  return reader.finish(Alias{.alias = reader.read_id<ChannelAlias>(),
                             .epoch = ChannelEpoch(reader.read_u64()),
                             .next = reader.read_id<Offset>(),
                             .channel = reader.read_channel_name(),
                             .mode = reader.read_enum(DeliveryMode::kLatest)});
}

void encode(const Alias& alias, Bytes& out) {
  Writer writer(out, FrameType::kAlias);
  writer.write_varint(alias.alias.value());
  writer.write_u64(alias.epoch.value());
  writer.write_varint(alias.next.value());
  writer.write_text(alias.channel.text());
  writer.write_varint(static_cast<std::uint64_t>(alias.mode));
  writer.finish();
}

}  // namespace orzatty::wire
